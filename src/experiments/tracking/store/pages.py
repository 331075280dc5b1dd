"""MLflow's pages on the embedded database, and a browser that opens them."""

import os
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
import webbrowser
from contextlib import closing
from pathlib import Path

from experiments.config.code.programs import name_program
from experiments.errors import TrackingError
from experiments.tracking.store.links import experiment_url, home_url

_HOST = "127.0.0.1"
_PAUSE = 0.2  # seconds between two looks whether the pages are there
# No usage is reported, and the processes that judge the answers of language models
# are not started.
_SWITCHES = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
}


def show_pages(database: Path, port: int) -> int:
    """Serves MLflow's pages until it is stopped, and returns the exit code.

    Args:
        database: Is prepared.
        port: Where to listen, on this machine only.

    Raises:
        TrackingError: Something listens there already.
    """
    base = f"http://{_HOST}:{port}"
    with socket.socket() as taken:
        if taken.connect_ex((_HOST, port)) == 0:
            raise TrackingError(
                f"Something listens on port {port} already, perhaps these pages: "
                f"{home_url(base)}. Another port: make ui PORT={port + 1}"
            )
    words = [name_program("mlflow"), "ui", "--workers", "1", "--host", _HOST]
    words += ["--port", str(port), "--backend-store-uri", f"sqlite:///{database}"]
    with subprocess.Popen(words, env={**os.environ, **_SWITCHES}) as server:
        try:
            if _wait(server, base):
                _open(find_address(database, base))
            return server.wait()
        except KeyboardInterrupt:
            return server.wait()  # it was interrupted too


def find_address(database: Path, base: str) -> str:
    """Returns the page of the experiment that has the latest run."""
    query = (
        "SELECT experiment_id FROM runs WHERE lifecycle_stage = 'active' "
        "ORDER BY start_time DESC LIMIT 1"
    )
    with closing(sqlite3.connect(database, timeout=30)) as connection:
        found = connection.execute(query).fetchone()
    return home_url(base) if found is None else experiment_url(base, str(found[0]))


def has_browser() -> bool:
    """Tells whether a person sits at this machine: else nothing is to be opened."""
    if not sys.stdout.isatty():
        return False
    drawn = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    return bool(drawn) or sys.platform in ("darwin", "win32")


def _open(address: str) -> None:
    """Says where the pages are, and opens them where there is a browser."""
    print(f"\nMLflow's pages  {address}\nto stop them    Ctrl-C\n", flush=True)
    if has_browser():
        webbrowser.open(address)


def _wait(server: subprocess.Popen[bytes], base: str) -> bool:
    """Waits until the pages answer; false when the server has ended before."""
    while server.poll() is None:
        try:
            with urllib.request.urlopen(f"{base}/health", timeout=10):  # noqa: S310
                return True
        except OSError:
            time.sleep(_PAUSE)
    return False
