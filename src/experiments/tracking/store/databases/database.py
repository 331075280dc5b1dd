"""The embedded database: created, upgraded and put right once, whoever comes first."""

import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from experiments import job_files
from experiments.config.kinds.destination import Destination
from experiments.errors import TrackingError
from experiments.files import cache_folder, drafting
from experiments.tracking.store.databases.relocation import relocate
from experiments.tracking.store.databases.schema import is_outdated, upgrade
from experiments.tracking.store.links import locate
from experiments.tracking.store.mlflow_import import import_mlflow

_LOCK_SECONDS = 120


def prepare_database(path: Path, *, create: bool = True) -> None:
    """Leaves a database that MLflow can use; safe from many processes at once.

    MLflow would replay its 68 migrations on a new file. They are replayed in memory
    here, once for each version of MLflow; the result is kept in the user's cache
    folder and copied for each later database. One of an older MLflow is upgraded after
    a copy; one that was moved together with its files names them where they are.

    Args:
        path: Absolute path of the SQLite file; its folders are made.
        create: Make one where none is; who only looks for something does not.

    Raises:
        TrackingError: If it cannot be created, is no database, or a newer release of
            MLflow has written it; or none is there and none shall be made.
    """
    try:
        if not create and not _is_database(path):
            raise TrackingError(
                f"There is no database {path}: nothing was recorded there. "
                "tracking.uri and output_dir say where to look; task=sync makes one "
                "that was lost anew from the folders of its runs."
            )
        if not _is_ready(path):
            import_mlflow()
            path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(f"{path}.lock", timeout=_LOCK_SECONDS):
                if not _is_database(path):
                    _create(path)
                elif is_outdated(path):
                    upgrade(path)
        relocate(path, path.parent / job_files.ARTIFACTS)
    except Timeout as error:
        raise TrackingError(
            f"Another process has been creating or upgrading {path} for "
            f"{_LOCK_SECONDS} s. End it and try again."
        ) from error
    except (OSError, sqlite3.Error) as error:
        raise TrackingError(
            f"The tracking database {path} cannot be created or read: {error}. "
            "Choose another output_dir."
        ) from error


def follow_move(destination: Destination) -> None:
    """Lets a database that was moved find its files, for who only shows it.

    Needs no MLflow, creates and upgrades nothing, and does nothing where it cannot.
    """
    with suppress(OSError, sqlite3.Error, TrackingError):
        location = locate(destination)
        database, artifacts = location.database, location.artifacts
        if database is not None and artifacts is not None and _is_ready(database):
            relocate(database, artifacts)


def _is_ready(path: Path) -> bool:
    """Tells whether the file is a database of the installed MLflow."""
    return _is_database(path) and not is_outdated(path)


def _is_database(path: Path) -> bool:
    """Tells whether the file holds anything; what it holds must be a database.

    Nobody but SQLite may open it: to close a file gives up all POSIX locks that its
    process has on it, also those of MLflow's open connections.
    """
    if not path.exists() or path.stat().st_size == 0:
        return False
    with closing(_connect(path)) as connection:
        try:
            connection.execute("PRAGMA schema_version").fetchone()
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_NOTADB:
                raise
            raise TrackingError(
                f"{path} is not an SQLite database. Move it away or choose another "
                "output_dir."
            ) from error
    return True


def _create(path: Path) -> None:
    """Builds the database beside its place and moves it there when it is whole."""
    with drafting(path, shared=True) as draft:
        with closing(_open_template()) as template, closing(_connect(draft)) as copy:
            template.backup(copy)
            # Writers do not block readers, and a commit needs fewer disk syncs.
            copy.execute("PRAGMA journal_mode=WAL")
        _create_default_experiment(draft, path)


def _create_default_experiment(draft: Path, path: Path) -> None:
    """Lets MLflow add its experiment 0, which processes otherwise race to add."""
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    artifacts = (path.parent / job_files.ARTIFACTS).as_uri()  # see `relocation`
    store = SqlAlchemyStore(f"sqlite:///{draft}", artifacts)
    store.engine.dispose()


def _open_template() -> sqlite3.Connection:
    """Returns an empty migrated database, from the cache folder where it has one."""
    from mlflow.version import VERSION

    cached = cache_folder() / f"mlflow-{VERSION}.db"
    if cached.is_file():
        return _connect(cached)
    migrated = _migrate_in_memory()
    try:
        cached.parent.mkdir(parents=True, exist_ok=True)
        with drafting(cached, shared=True) as draft, closing(_connect(draft)) as copy:
            migrated.backup(copy)
    except (OSError, sqlite3.Error):
        # A cache that cannot be written costs half a second a database, no more.
        return migrated
    return migrated


def _migrate_in_memory() -> sqlite3.Connection:
    import sqlalchemy
    from mlflow.store.db.utils import _initialize_tables
    from sqlalchemy.pool import StaticPool

    engine = sqlalchemy.create_engine("sqlite://", poolclass=StaticPool)
    _initialize_tables(engine)
    connection: Any = engine.raw_connection().driver_connection
    return connection


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=30)
