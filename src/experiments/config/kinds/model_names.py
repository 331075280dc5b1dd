"""Names of trained models that are no runs: a registered version, or a file."""

import re
from collections.abc import Iterator
from pathlib import PurePath

from experiments.errors import Problem

_REGISTERED = "models:/"
_FILE = ".keras"
_PLAIN = re.compile(r"\w(?:[\w .-]{0,98}[\w.-])?")


def is_registered(name: str) -> bool:
    """Tells whether a name is MLflow's of a registered model: `models:/digits@best`."""
    return name.startswith(_REGISTERED)


def is_model_file(name: str) -> bool:
    """Tells whether a name is that of a Keras file."""
    return PurePath(name).suffix == _FILE


def names_model(name: str) -> bool:
    """Tells whether a name means a model, and no run."""
    return is_registered(name) or is_model_file(name)


def check_registered_name(name: str) -> Iterator[Problem]:
    """Yields what is wrong with the name of a registered model."""
    if is_registered(name):
        hint = f"Type registered_name={re.split('[/@]', name)[1] or 'digits'}."
        reason = "must be the name alone, without version or alias."
        yield Problem("registered_name", f"{reason} Received: {name!r}.", hint)
    elif not _PLAIN.fullmatch(name):
        reason = (
            "must be of letters, digits, `_`, `-`, `.` and spaces inside, at most 100."
        )
        yield Problem("registered_name", f"{reason} Received: {name[:120]!r}.")
