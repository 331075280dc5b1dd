import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import numpy as np
import pytest

from experiments.errors import TrackingError
from experiments.tracking import client
from experiments.tracking.database import prepare_database
from experiments.tracking.tracker import NoTracker

WITHOUT_TRACKING = """
import sys
from pathlib import Path
from experiments.tracking.sweep import open_sweep
from experiments.tracking.tracker import open_tracker
arguments = dict(enabled=False, uri=None, experiment="e", ui_url=None,
    server_timeout=1, server_retries=0, output_dir=Path(sys.argv[1]), run_name="r")
tracker = open_tracker(**arguments)
tracker.log_metrics({"loss": 1.0}, step=0)
tracker.finish("FINISHED")
print(tracker.run_id, tracker.run_url, open_sweep(overrides=[], **arguments).run_id)
print({"mlflow", "keras", "tensorflow"} & set(sys.modules))
"""


def free_port():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return server.getsockname()[1]


def test_off_records_nothing_and_imports_no_mlflow(tmp_path):
    command = [sys.executable, "-W", "error", "-c", WITHOUT_TRACKING, str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True)
    assert (result.stdout, result.stderr) == ("None None None\nset()\n", "")
    assert list(tmp_path.iterdir()) == []


def test_off_accepts_every_call(open_run, tmp_path):
    tracker = open_run(enabled=False)
    assert isinstance(tracker, NoTracker)
    tracker.log_params({"a": 1})
    tracker.set_tags({"a": 1})
    tracker.log_text("", "a.txt")
    tracker.log_dict({}, "a.yaml")
    tracker.log_file(tmp_path / "absent")
    tracker.log_figure(None, "a.png")
    assert tracker.log_model(None, example=np.zeros(1)) is None
    assert tracker.compare_url(["a"]) is None


def test_absent_server_is_one_clear_error_at_once(open_run):
    uri = f"http://127.0.0.1:{free_port()}"
    start = time.monotonic()
    with pytest.raises(TrackingError, match=rf"no tracking server answers at {uri}"):
        open_run(uri=uri)
    assert time.monotonic() - start < 5


def test_silent_server_is_given_up(open_run, monkeypatch):
    monkeypatch.setattr(client, "_PROBE_SECONDS", 0.2)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        uri = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(TrackingError, match="timed out"):
            open_run(uri=uri)


def test_locked_database_is_tried_again(monkeypatch):
    client.import_mlflow()
    from mlflow.exceptions import MlflowException

    monkeypatch.setattr(client, "_BUSY_DELAYS", (0.0, 0.0))
    answers = [MlflowException("database is locked"), OSError("database is locked"), 7]

    def answer():
        value = answers.pop(0)
        if isinstance(value, Exception):
            raise value
        return value

    assert client.attempt(answer, "ask") == 7


def test_database_that_stays_locked_is_an_error(monkeypatch):
    client.import_mlflow()
    from mlflow.exceptions import MlflowException

    monkeypatch.setattr(client, "_BUSY_DELAYS", (0.0,))

    def refuse():
        raise MlflowException("database is locked\nwith more lines")

    with pytest.raises(TrackingError, match=r"Cannot ask: database is locked$"):
        client.attempt(refuse, "ask")


def test_deleted_experiment_is_refused_with_a_way_out(open_run):
    tracker = open_run()
    experiment = tracker._client.get_run(tracker.run_id).info.experiment_id
    tracker._client.delete_experiment(experiment)
    with pytest.raises(TrackingError, match=rf"restore -x {experiment}"):
        open_run()


@pytest.fixture
def server(tmp_path):
    """The address of an MLflow server on an empty database."""
    port = free_port()
    uri = f"http://127.0.0.1:{port}"
    words = ["-m", "mlflow", "server", "--workers", "1", "--port", str(port)]
    words += ["--backend-store-uri", f"sqlite:///{tmp_path}/server.db"]
    words += ["--artifacts-destination", str(tmp_path / "files")]
    log = tmp_path / "server.log"
    prepare_database(tmp_path / "server.db")
    # Its job runners are further processes that tracking has no use for.
    switches = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, *words],
            cwd=tmp_path,
            env={**os.environ, **switches, "MLFLOW_DISABLE_TELEMETRY": "true"},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        wait_for(f"{uri}/health", process, log)
        yield uri
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_for(address, process, log):
    for _ in range(240):
        try:
            with urllib.request.urlopen(address, timeout=2):
                return
        except OSError:
            assert process.poll() is None, log.read_text()
            time.sleep(0.25)
    raise AssertionError(log.read_text())


@pytest.mark.timeout(120)
def test_server_holds_a_whole_run(server, open_run, tmp_path, capfd):
    tracker = open_run(uri=server, ui_url=None, tags={"seed": 1})
    tracker.log_params({"optimizer.lr": 1e-4})
    tracker.log_metrics({"loss": 0.5}, step=1)
    tracker.log_text("hello", "note.txt")
    tracker.finish("FAILED", "a reason")
    run = tracker._client.get_run(tracker.run_id)
    assert tracker.run_url.startswith(f"{server}/#/experiments/")
    assert run.data.params == {"optimizer.lr": "0.0001"}
    assert run.data.metrics == {"loss": 0.5}
    assert run.info.status == "FAILED"
    assert list((tmp_path / "files").rglob("note.txt"))
    assert not (tmp_path / "out").exists()
    assert capfd.readouterr() == ("", "")
