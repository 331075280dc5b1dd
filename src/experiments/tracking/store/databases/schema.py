"""Which MLflow an embedded database fits, and its upgrade; looks without MLflow."""

import importlib.util
import logging
import re
import sqlite3
from collections.abc import Mapping
from contextlib import closing, suppress
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

from experiments.errors import TrackingError
from experiments.files import drafting

_LOGGER = logging.getLogger(__name__)

_FOLLOWS = re.compile(r"^down_revision\b[^=\n]*=\s*(.*)$", re.MULTILINE)


def is_outdated(path: Path) -> bool:
    """Tells whether a database was left by an older release of MLflow.

    Args:
        path: An SQLite file that exists.

    Raises:
        TrackingError: A newer release has written it, or another program.
    """
    found = _read_revision(path)
    if found is None:
        raise TrackingError(
            f"{path} is an SQLite database, but not one of MLflow. Choose another "
            "output_dir."
        )
    return is_older(found, str(path))


def refuse_newer(path: Path) -> None:
    """Says at once that a newer release has written a database; without importing it.

    Args:
        path: Of the database; need not exist. What cannot be read now is told later.

    Raises:
        TrackingError: See above.
    """
    found = None
    with suppress(OSError, sqlite3.Error):
        found = _read_revision(path) if path.is_file() else None
    if found is not None:
        _check_known(str(path), found)


def is_older(revision: str, place: str) -> bool:
    """Tells whether a revision is that of an older release of MLflow.

    Args:
        revision: That a database has.
        place: The database, for the error.

    Raises:
        TrackingError: A newer release has it, or another program.
    """
    _check_known(place, revision)
    return revision != _latest_revision()


def list_run_ids(path: Path) -> set[str]:
    """Returns the runs of a database that nobody has deleted; changes nothing.

    Args:
        path: Of the database; of one that cannot be read nothing is known.
    """
    address = f"{path.absolute().as_uri()}?mode=ro"
    query = "SELECT run_uuid FROM runs WHERE lifecycle_stage = 'active'"
    with (
        suppress(OSError, sqlite3.Error),
        closing(sqlite3.connect(address, uri=True)) as database,
    ):
        return {str(run_id) for (run_id,) in database.execute(query)}
    return set()


def upgrade(path: Path) -> None:
    """Brings a database to the installed release, after a copy; its lock is held.

    Args:
        path: An outdated database.

    Raises:
        TrackingError: It cannot be upgraded, and is as it was.
    """
    import sqlalchemy
    from mlflow.store.db.utils import _upgrade_db

    backup = _back_up(path)
    engine = sqlalchemy.create_engine(f"sqlite:///{path}")
    try:
        _upgrade_db(engine)
    except Exception as error:
        engine.dispose()
        _copy(backup, path)
        reason = " ".join(str(error).split())
        raise TrackingError(
            f"{path} was written by an older release of MLflow and cannot be upgraded: "
            f"{reason}. It is as it was; choose another output_dir."
        ) from error
    engine.dispose()
    _LOGGER.warning(
        "%s was written by an older release of MLflow and is upgraded for good. A copy "
        "from before: %s",
        path,
        backup,
    )


def _check_known(place: str, revision: str) -> None:
    if revision not in _revisions():
        raise TrackingError(
            f"{place} was written by a newer release of MLflow than the installed "
            f"{version('mlflow')}, which does not know its revision {revision}. "
            "Install that release, or choose another store."
        )


def _back_up(path: Path) -> Path:
    """Copies a database that others may be writing; returns where to."""
    backup = path.with_name(f"{path.name}.before-{_read_revision(path)}")
    number = 2
    while backup.exists():
        backup = backup.with_suffix(f".before-{_read_revision(path)}-{number}")
        number += 1
    with drafting(backup) as draft:
        _copy(path, draft)
    return backup


def _copy(source: Path, target: Path) -> None:
    with (
        closing(sqlite3.connect(source)) as old,
        closing(sqlite3.connect(target)) as new,
    ):
        old.backup(new)


def _read_revision(path: Path) -> str | None:
    """Returns the revision of a database; `None` where MLflow has not been yet."""
    with closing(sqlite3.connect(path, timeout=30)) as connection:
        try:
            row = connection.execute("SELECT version_num FROM alembic_version")
            found = row.fetchone()
        except sqlite3.OperationalError as error:
            if "no such table" in str(error):
                return None
            raise
    return None if found is None else str(found[0])


@lru_cache(maxsize=1)
def _revisions() -> Mapping[str, str]:
    """Returns each revision that the installed MLflow knows and what it says itself.

    Each is a file that begins with its name. To let MLflow list them takes a second.
    """
    folder = _package() / "store" / "db_migrations" / "versions"
    files = folder.glob("*_*.py")
    return {
        path.name.partition("_")[0]: path.read_text("utf-8")
        for path in files
        if not path.name.startswith("_")
    }


@lru_cache(maxsize=1)
def _latest_revision() -> str:
    """Returns the revision that no other one follows."""
    revisions = _revisions()
    followed = "\n".join(
        match[1] for text in revisions.values() for match in _FOLLOWS.finditer(text)
    )
    (latest,) = (name for name in revisions if name not in followed)
    return latest


def _package() -> Path:
    spec = importlib.util.find_spec("mlflow")
    if spec is None or spec.origin is None:
        raise TrackingError("MLflow is not installed.")
    return Path(spec.origin).parent
