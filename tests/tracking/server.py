"""A real MLflow server that can be absent, killed, stopped and started again."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from experiments.tracking.store.databases.database import prepare_database
from tests.warm import start_command


class Server:
    """A server process on a port and a database of its own.

    Args:
        folder: For its database, files and log.
        store: Address of another database than one in the folder.
    """

    def __init__(self, folder: Path, store: str | None = None) -> None:
        folder.mkdir()
        self._store = store or f"sqlite:///{folder}/server.db"
        self.folder = folder
        self.port = free_port()
        self.uri = f"http://127.0.0.1:{self.port}"
        self._log = folder / "server.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts the server and waits until it answers."""
        if self._store.startswith("sqlite:"):
            prepare_database(self.folder / "server.db")
        mlflow = str(Path(sys.executable).with_name("mlflow"))
        words = [mlflow, "server", "--workers", "1", "--port", str(self.port)]
        words += ["--backend-store-uri", self._store]
        words += ["--artifacts-destination", str(self.folder / "files")]
        # Its job runners are further processes that tracking has no use for.
        switches = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
        with self._log.open("a") as output:
            self._process = start_command(
                [sys.executable, *words],
                cwd=self.folder,
                env={**os.environ, **switches, "MLFLOW_DISABLE_TELEMETRY": "true"},
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._wait()

    def signal(self, number: int) -> None:
        """Sends a signal to all of the server's processes."""
        assert self._process is not None
        os.killpg(self._process.pid, number)

    def stop(self) -> None:
        """Kills the server; it must not say goodbye."""
        if self._process is not None:
            self.signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def _wait(self) -> None:
        assert self._process is not None
        for _ in range(600):
            try:
                with urllib.request.urlopen(f"{self.uri}/health", timeout=2):
                    return
            except OSError:
                assert self._process.poll() is None, self._log.read_text()
                time.sleep(0.1)
        raise AssertionError(self._log.read_text())


def free_port() -> int:
    """Returns a port that nobody listens on."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return int(server.getsockname()[1])
