import os
import signal
import socket
import subprocess
import sys
import urllib.request

import psutil
import pytest

from experiments.errors import TrackingError
from experiments.tracking.store import pages
from experiments.tracking.store.databases.database import prepare_database
from experiments.tracking.store.pages import find_address, has_browser, show_pages
from tests.tracking.conftest import run_of
from tests.tracking.server import free_port
from tests.warm import start_command

BASE = "http://127.0.0.1:5000"
MODE = "?workflowType=machine_learning"


def test_pages_open_with_the_experiment_of_the_latest_run(open_run, tmp_path):
    for name in ("first", "second"):
        run = run_of(open_run(experiment=name))
    address = find_address(tmp_path / "out" / "mlflow.db", BASE)
    assert address == f"{BASE}/#/experiments/{run.info.experiment_id}/runs{MODE}"


def test_pages_without_a_run_open_with_the_list_of_experiments(tmp_path):
    prepare_database(tmp_path / "mlflow.db")
    assert find_address(tmp_path / "mlflow.db", BASE) == f"{BASE}/#/experiments{MODE}"


def test_port_that_is_taken_is_told_with_what_may_be_there(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(TrackingError) as refused:
            show_pages(tmp_path / "mlflow.db", port)
    assert f"port {port} already" in str(refused.value)
    assert f"make ui PORT={port + 1}" in str(refused.value)


@pytest.mark.parametrize(
    ("display", "terminal", "opened"),
    [(":0", True, True), (":0", False, False), ("", True, False)],
)
def test_browser_is_opened_where_somebody_sits_before_a_screen(
    monkeypatch, display, terminal, opened
):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(pages.sys.stdout, "isatty", lambda: terminal, raising=False)
    monkeypatch.setenv("DISPLAY", display)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert has_browser() is opened


def find_interfaces(pid):
    """Returns on which addresses a process and its children listen."""
    first = psutil.Process(pid)
    return {
        connection.laddr.ip
        for process in (first, *first.children(recursive=True))
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }


def test_address_is_said_when_the_pages_are_there(tmp_path):
    database, port = tmp_path / "mlflow.db", free_port()
    words = ["-m", "experiments.tracking", str(database), "--port", str(port)]
    with start_command(
        [sys.executable, *words],
        cold=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "DISPLAY": ""},
        start_new_session=True,
    ) as process:
        try:
            lines = iter(process.stdout.readline, "")
            said = next(line for line in lines if line.startswith("MLflow's pages"))
            base = f"http://127.0.0.1:{port}"
            assert said.split()[-1] == f"{base}/#/experiments{MODE}"
            with urllib.request.urlopen(base) as page:
                assert page.status == 200
            assert find_interfaces(process.pid) == {"127.0.0.1"}
            os.killpg(process.pid, signal.SIGINT)
            process.wait(60)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
