"""Whatever happens to MLflow, the job ends the same and no record is lost."""

import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.faults.conftest import Command, assert_same_end, read_runs


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Any]:
    """Starts a real server on the database that the job would use itself."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    started: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        outputs = tmp_path / "outputs"
        outputs.mkdir(exist_ok=True)
        command = [sys.executable, "-m", "mlflow", "server", "--workers", "1"]
        command += ["--port", str(port), "--host", "127.0.0.1"]
        command += ["--backend-store-uri", f"sqlite:///{outputs}/mlflow.db"]
        command += ["--default-artifact-root", str(outputs / "artifacts")]
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        started.append(process)
        for _ in range(240):
            try:
                urllib.request.urlopen(f"{address}/health", timeout=1)
                return process
            except OSError:
                time.sleep(0.25)
        pytest.fail("the server does not start")

    start.address = address  # type: ignore[attr-defined]
    yield start
    for process in started:
        subprocess.run(["pkill", "-P", str(process.pid)], check=False)
        process.kill()
        process.wait()


@pytest.mark.slow
def test_server_that_is_absent_gets_everything_by_sync(
    job: Callable[..., Command], uninterrupted: Command, server: Any
) -> None:
    address = ["tracking=server", f"tracking.uri={server.address}"]
    command = job(*address, "tracking.drain_seconds=1")
    done = command.finish()
    assert done.returncode == 0, done.stderr
    assert "task=sync" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    server()
    sync = Command(command.folder, "task=sync", *address).finish()
    assert sync.returncode == 0, sync.stdout + sync.stderr
    (own,), (expected,) = read_runs(command.folder), read_runs(uninterrupted.folder)
    assert own["points"] == expected["points"]
    assert own["status"] == "FINISHED"


@pytest.mark.slow
def test_locked_database_delays_records_and_not_training(
    job: Callable[..., Command], uninterrupted: Command
) -> None:
    command = job()
    process = command.start()
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("epoch  2/"):
            break
    database = command.folder / "outputs" / "mlflow.db"
    with closing(sqlite3.connect(database, isolation_level=None, timeout=60)) as lock:
        lock.execute("BEGIN IMMEDIATE")
        for line in process.stdout:
            if line.startswith(uninterrupted.last_epoch):
                break
        lock.execute("ROLLBACK")
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert_same_end(command, uninterrupted)
