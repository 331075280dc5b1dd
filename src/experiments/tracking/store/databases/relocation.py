"""Lets a moved or copied output folder find its files again.

MLflow writes down where the files of an experiment, a run and a model lie, as absolute
addresses, when it makes them. Whoever opens the database first after a move puts them
right.
"""

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from experiments.tracking.store.links import as_folder

_LOGGER = logging.getLogger(__name__)

# Tag of an experiment: where its files lie, relative to the artifacts' folder.
FOLDER_TAG = "experiments.folder"
_DEFAULT_FOLDER = "0"  # of experiment 0, which has no tag
_ADDRESSES = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
    ("trace_tags", "value"),  # of the tag `mlflow.artifactLocation`
)
_LOCATIONS = f"""
    SELECT artifact_location, '{_DEFAULT_FOLDER}' FROM experiments
    WHERE experiment_id = 0
    UNION ALL
    SELECT artifact_location, experiment_tags.value FROM experiments
    JOIN experiment_tags USING (experiment_id) WHERE key = '{FOLDER_TAG}'
"""  # noqa: S608 - constants


def relocate(database: Path, artifacts: Path) -> None:
    """Makes the database name the files where they are; mostly only looks.

    Addresses that this project did not choose, such as those of an experiment on S3,
    are left alone.

    Args:
        database: MLflow's SQLite file, of the installed release.
        artifacts: Where files of runs belong, absolute.

    Raises:
        sqlite3.Error: It cannot be read or written.
    """
    with closing(sqlite3.connect(database, timeout=30)) as connection:
        connection.isolation_level = None  # no transaction but ours
        if not _former_roots(connection, artifacts):
            return
        connection.execute("BEGIN IMMEDIATE")
        # Another process may have done it while this one waited.
        for root in _former_roots(connection, artifacts):
            for table, column in _ADDRESSES:
                _replace(connection, table, column, root, artifacts.as_uri())
            _LOGGER.info("%s was at %s before.", artifacts, root)
        connection.execute("COMMIT")


def _former_roots(connection: sqlite3.Connection, artifacts: Path) -> list[str]:
    """Returns the addresses that the artifacts' folder has had, not its present one."""
    roots = set(_list_roots(connection)) - {artifacts.as_uri()}
    return sorted(root for root in roots if not _is_same_place(root, artifacts))


def _list_roots(connection: sqlite3.Connection) -> Iterator[str]:
    for location, folder in connection.execute(_LOCATIONS):
        if str(location).startswith("file:") and location.endswith(f"/{folder}"):
            yield location.removesuffix(f"/{folder}")


def _is_same_place(root: str, artifacts: Path) -> bool:
    """Tells whether an address leads here as well, such as by a link."""
    former = as_folder(root)
    try:
        # The artifacts' folder itself is made with the first file.
        return former is not None and former.parent.samefile(artifacts.parent)
    except OSError:
        return False


def _replace(
    connection: sqlite3.Connection, table: str, column: str, old: str, new: str
) -> None:
    start = f"{old}/"
    connection.execute(
        f"UPDATE {table} SET {column} = ? || substr({column}, ?) "  # noqa: S608
        f"WHERE substr({column}, 1, ?) = ?",
        (new, len(start), len(start), start),
    )
