"""The import of MLflow: quiet, without telemetry, one thread at a time."""

import logging
import os
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from experiments.imports import without_collection

_IMPORTING = threading.RLock()
_WARNINGS_OF_ITS_IMPORTS = (
    # MLflow's tables use a loader that SQLAlchemy 2.1 calls deprecated.
    "The ``noload`` loader strategy is deprecated",
    # mlflow.pyfunc finds fault with the type hints of its own chat agents.
    r".*Any type hint is inferred as AnyType",
    # In a notebook without widgets, of bars that nobody shows.
    "IProgress not found",
)


@contextmanager
def importing() -> Iterator[None]:
    """Keeps other threads from importing parts of mlflow, and seeing halves of them."""
    with _IMPORTING, without_collection():
        yield


def import_mlflow() -> Any:
    """Imports mlflow (about 1.5 s) without telemetry and chatter; may run in a thread.

    Returns:
        The module `mlflow`.
    """
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    # "View run ... at ..." at the end of each run of a server: we print our own link.
    os.environ["MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT"] = "true"
    # A bar for each small file that `from_search=` or `task=reproduce` reads.
    os.environ["MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"] = "false"
    for message in _WARNINGS_OF_ITS_IMPORTS:
        warnings.filterwarnings("ignore", message)
    with importing():
        import mlflow

    logging.getLogger("mlflow").setLevel(logging.WARNING)
    # Prints a stack for each refused statement; `attempt` retries or raises them.
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)
    return mlflow
