"""A PostgreSQL database without a server in front: MLflow's tables, made once."""

import os
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.config.code.programs import name_program
from experiments.errors import TrackingError
from experiments.tracking.store.databases.schema import is_older
from experiments.tracking.store.mlflow_import import import_mlflow, importing
from experiments.tracking.store.outage import describe_outage

if TYPE_CHECKING:
    from psycopg import Connection

_CONNECT_SECONDS = 10
_LOCK_SECONDS = 120
_FIRST_TABLE, _REVISIONS = "experiments", "alembic_version"
_LOCK = 7_304_682_915_043  # any number that other programs do not take


class EmptyDatabaseError(TrackingError):
    """A database holds nothing yet, and whoever only reads leaves nothing."""


def prepare_postgres(uri: str, artifacts: Path, *, create: bool = True) -> None:
    """Leaves a database that MLflow can use, from many machines at once.

    MLflow itself would make its tables in each process that finds none, all at once,
    and bring those of an older release to its own for good without a word. Here one
    process makes them while the others wait, by a lock of the database, and an older
    database is left to whoever has copied it.

    Args:
        uri: Address of the database; who asks is told by libpq's variables or files.
        artifacts: Where files of MLflow's experiment 0 go.
        create: Make the tables where none are; who only looks does not.

    Raises:
        TrackingError: It does not answer, another program or release has written it,
            or it is empty and shall stay so (`EmptyDatabaseError`).
    """
    import psycopg

    # MLflow's own connections would wait as long as the kernel does.
    os.environ.setdefault("PGCONNECT_TIMEOUT", str(_CONNECT_SECONDS))
    try:
        with psycopg.connect(uri, autocommit=True) as connection:
            revision = _read_revision(connection)
            if revision is None and not create:
                raise _explain_absence(connection, uri)
            if revision is None:
                revision = _make_tables(connection, uri, artifacts)
    except psycopg.Error as error:
        reason = describe_outage(error, uri) or " ".join(str(error).split())
        raise TrackingError(f"tracking.uri: {reason}") from error
    if is_older(revision, uri):
        raise TrackingError(
            f"{uri} was written by an older release of MLflow than the installed "
            f"{version('mlflow')}. Copy it, with pg_dump, then upgrade it for all who "
            f"use it: {name_program('mlflow')} db upgrade {uri}"
        )


def _make_tables(connection: "Connection[Any]", uri: str, artifacts: Path) -> str:
    """Lets MLflow make its tables and experiment 0, unless another process does.

    Returns:
        The revision of the tables.
    """
    connection.execute(f"SET lock_timeout = '{_LOCK_SECONDS}s'")
    connection.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))  # until it is closed
    if (revision := _read_revision(connection)) is not None:
        return revision
    tables = _list_tables(connection)
    if tables and _FIRST_TABLE not in tables:  # else one was killed while making them
        raise _explain_absence(connection, uri)
    import_mlflow()
    with importing():
        from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
    SqlAlchemyStore(uri, artifacts.as_uri()).engine.dispose()
    revision = _read_revision(connection)
    if revision is None:
        raise _explain_absence(connection, uri)
    return revision


def _read_revision(connection: "Connection[Any]") -> str | None:
    """Returns the revision of MLflow's tables; `None` without them."""
    if _REVISIONS not in _list_tables(connection):
        return None
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return None if row is None else str(row[0])


def _list_tables(connection: "Connection[Any]") -> set[str]:
    query = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
    return {str(name) for (name,) in connection.execute(query)}


def _explain_absence(connection: "Connection[Any]", uri: str) -> TrackingError:
    if _list_tables(connection):
        return TrackingError(
            f"{uri} holds tables of another program. Choose a database that is empty."
        )
    return EmptyDatabaseError(
        f"The database {uri} is empty: nothing was recorded there."
    )
