"""A real PostgreSQL in a folder of its own, which can be stopped, killed and started.

It takes Debian's package, or any whose programs are found, and root, who starts it as
the user that the package made: it refuses to run as root.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.tracking.server import free_port

USER = "mlflow"
PASSWORD = "Kx7q-elephant-42"
_OWNER = "postgres"
_PLACES = Path("/usr/lib/postgresql")


def find_programs() -> Path | None:
    """Returns the folder of `initdb` and `pg_ctl` of the newest release, if any."""
    found = sorted(_PLACES.glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]))
    beside = shutil.which("initdb")
    newest = found[-1] if found else beside and Path(beside)
    return Path(newest).resolve().parent if newest else None


def is_usable() -> bool:
    """Tells whether one can be started here."""
    users = {entry.pw_name for entry in pwd.getpwall()}
    return os.getuid() == 0 and _OWNER in users and find_programs() is not None


class Postgres:
    """A database server on a free port of 127.0.0.1, with a user and a password.

    Args:
        folder: Of all that it writes; its owner must be able to reach it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self._data = folder / "data"
        shutil.chown(folder, _OWNER)
        secret = folder / "password"
        secret.write_text(PASSWORD)
        shutil.chown(secret, _OWNER)
        self._run(
            *("initdb", "--pgdata", str(self._data), "--username", USER),
            *("--auth", "scram-sha-256", "--pwfile", str(secret), "--encoding", "UTF8"),
        )
        secret.unlink()

    @property
    def environment(self) -> dict[str, str]:
        """Variables by which libpq knows who asks."""
        return {"PGUSER": USER, "PGPASSWORD": PASSWORD}

    def uri(self, database: str) -> str:
        """Returns the address of a database, which says nothing of user or password."""
        return f"postgresql://127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Starts it and waits until it answers."""
        options = f"-c port={self.port} -c listen_addresses=127.0.0.1 "
        options += f"-c unix_socket_directories={self.folder}"
        self._control("start", "-o", options, "-l", str(self.folder / "log"))

    def stop(self, mode: str = "fast") -> None:
        """Stops it.

        Args:
            mode: `fast` ends its transactions; `immediate` dies as in a power cut, and
                the next start recovers what was committed.
        """
        self._control("stop", "-m", mode)

    def create(self, database: str) -> str:
        """Makes an empty database and returns its address."""
        with self.connect("postgres") as connection:
            connection.execute(f'CREATE DATABASE "{database}"')
        return self.uri(database)

    def ask(self, database: str, query: str) -> list[tuple[Any, ...]]:
        """Returns the rows of a query in SQL."""
        with self.connect(database) as connection:
            return list(connection.execute(query).fetchall())

    @contextmanager
    def connect(self, database: str) -> Iterator[Any]:
        """Opens a database directly, past MLflow."""
        import psycopg

        who = {"user": USER, "password": PASSWORD}
        with psycopg.connect(self.uri(database), **who, autocommit=True) as connection:
            yield connection

    def _control(self, *words: str) -> None:
        self._run("pg_ctl", "--pgdata", str(self._data), "-w", *words)

    def _run(self, program: str, *words: str) -> None:
        programs = find_programs()
        assert programs is not None
        # A server that is started keeps the pipe of whoever waits for its output.
        with (self.folder / "control.log").open("a") as log:
            done = subprocess.run(
                [str(programs / program), *words],
                cwd=self.folder,
                user=_OWNER,
                group=_OWNER,
                extra_groups=[],
                env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                check=False,
            )
        assert done.returncode == 0, (self.folder / "control.log").read_text()


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """Starts a PostgreSQL that is gone at the end, its folder included."""
    # Not where pytest has its folders, which root alone may enter.
    folder = Path(tempfile.mkdtemp(prefix="postgres-", dir="/tmp"))
    try:
        postgres = Postgres(folder)
        postgres.start()
        try:
            yield postgres
        finally:
            postgres.stop("immediate")
    finally:
        shutil.rmtree(folder)
