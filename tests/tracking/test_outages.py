"""MLflow absent, killed, silent, locked or full: nothing waits, is lost or doubled."""

import errno
import os
import signal
import sqlite3
import time
from contextlib import closing

import pytest

from experiments.tracking.sending import courier
from experiments.tracking.spool import spool
from experiments.tracking.store.runs.reconcile import reconcile_stale_runs
from tests.tracking.conftest import points_of, run_of, settle, stored, wait_until

AT_ONCE = 0.2  # seconds that a record may hold up training


def log(tracker, steps):
    """Records a point for each step; none may wait for MLflow."""
    for step in steps:
        begin = time.monotonic()
        tracker.log_metrics({"loss": 1 / (step + 1), "nan": float("nan")}, step=step)
        tracker.set_tags({"step": step})
        assert time.monotonic() - begin < AT_ONCE


def assert_whole(tracker, count):
    """Every point is there once."""
    client = settle(tracker)
    expected = [(step, 1 / (step + 1)) for step in range(count)]
    assert points_of(client, tracker.run_id, "loss") == expected
    assert len(client.get_metric_history(tracker.run_id, "nan")) == count
    run = client.get_run(tracker.run_id)
    assert run.data.tags["step"] == str(count - 1)
    assert len(client.search_runs([run.info.experiment_id])) == 1


def levels(caplog):
    names = (
        "experiments.tracking.spooled_tracker",
        "experiments.tracking.sending.sender",
    )
    return [r.levelname for r in caplog.records if r.name in names]


@pytest.mark.timeout(120)
@pytest.mark.usefixtures("impatient")
def test_server_that_comes_late_and_goes_in_between_gets_everything_once(
    server, open_run, caplog, capfd
):
    caplog.set_level("INFO")
    tracker = open_run(uri=server.uri, ui_url=None)
    tracker.log_params({"optimizer.lr": 1e-4})
    log(tracker, range(20))
    wait_until(lambda: tracker.problem)
    assert f"no server answers at {server.uri}" in tracker.problem
    assert tracker.run_url is None
    assert levels(caplog) == ["WARNING"]
    assert "run.py task=sync" in caplog.text
    server.start()
    settle(tracker)
    assert levels(caplog) == ["WARNING", "INFO"]
    assert tracker.run_url.startswith(f"{server.uri}/#/experiments/")
    log(tracker, range(20, 60))
    server.stop()  # with the sender in the midst of it
    log(tracker, range(60, 100))
    wait_until(lambda: tracker.problem)
    server.start()
    tracker.log_text("hello", "note.txt")
    tracker.finish("FINISHED")
    assert (tracker.unsent, tracker.problem) == (0, None)
    assert_whole(tracker, 100)
    assert run_of(tracker).data.params == {"optimizer.lr": "0.0001"}
    assert list((server.folder / "files").rglob("note.txt"))
    assert levels(caplog) == ["WARNING", "INFO"] * 2
    assert capfd.readouterr() == ("", "")


@pytest.mark.timeout(120)
@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("moment", ["creating its run", "sending points"])
def test_silent_server_gets_everything_once(
    running_server, open_run, monkeypatch, moment
):
    """It does in the end what its client has given up on and does again."""
    server = running_server
    tracker = open_run(
        uri=server.uri, ui_url=None, server_timeout=1, experiment=f"silent: {moment}"
    )
    if moment == "creating its run":
        # Else it is the probe that waits, and no run is asked for before the time.
        connection = courier.connect(tracker._destination)
        monkeypatch.setattr(courier, "connect", lambda destination: connection)
    else:
        settle(tracker)
    server.signal(signal.SIGSTOP)
    log(tracker, range(20))
    tracker.start()
    time.sleep(4)
    server.signal(signal.SIGCONT)
    tracker.finish("FINISHED")
    assert (tracker.unsent, tracker.problem) == (0, None)
    assert_whole(tracker, 20)


@pytest.mark.usefixtures("impatient")
def test_run_that_was_created_for_nobody_is_found_or_removed(open_run, monkeypatch):
    """The answer to its creation got lost; another creation came late."""
    tracker = open_run()
    connection = courier.connect(tracker._destination)
    create, made = connection.client.create_run, []

    def lose_answer(*args, **more):
        made.append(create(*args, **more))
        if len(made) == 1:
            raise OSError("the connection was lost")
        return made[-1]

    monkeypatch.setattr(connection.client, "create_run", lose_answer)
    monkeypatch.setattr(courier, "connect", lambda destination: connection)
    log(tracker, range(3))
    settle(tracker)
    assert [run.info.run_id for run in made] == [tracker.run_id]
    tags = {"experiments.job_id": made[0].data.tags["experiments.job_id"]}
    create(connection.experiment_id, tags=tags)
    tracker.finish("FINISHED")
    assert_whole(tracker, 3)


@pytest.mark.timeout(120)
@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("seconds", [3, pytest.param(30, marks=[pytest.mark.slow])])
def test_locked_database_holds_up_nothing(open_run, seconds):
    tracker = open_run()
    settle(tracker)
    with closing(
        sqlite3.connect(tracker._destination.output_dir / "mlflow.db")
    ) as other:
        other.isolation_level = None
        other.execute("BEGIN EXCLUSIVE")
        log(tracker, range(20))
        time.sleep(seconds)
        assert tracker.unsent
        other.execute("COMMIT")
    tracker.finish("FINISHED")
    assert (tracker.unsent, tracker.problem) == (0, None)
    assert_whole(tracker, 20)


@pytest.mark.usefixtures("impatient")
def test_full_database_gets_everything_when_there_is_room(open_run, monkeypatch):
    tracker = open_run()
    client = settle(tracker)
    from mlflow.exceptions import MlflowException
    from mlflow.protos.databricks_pb2 import TEMPORARILY_UNAVAILABLE

    def refuse(*args, **more):
        raise MlflowException("database or disk is full", TEMPORARILY_UNAVAILABLE)

    with monkeypatch.context() as patch:
        patch.setattr(type(client), "log_batch", refuse)
        log(tracker, range(5))
        wait_until(lambda: tracker.problem)
        assert tracker.problem == "database or disk is full"
    assert_whole(tracker, 5)


@pytest.mark.usefixtures("impatient")
def test_file_that_is_no_database_is_a_warning_and_records_wait(
    open_run, tmp_path, caplog
):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mlflow.db").write_text("something else entirely")
    tracker = open_run()
    log(tracker, range(5))
    tracker.finish("FINISHED")
    assert tracker.unsent == 12
    assert "is not an SQLite database" in tracker.problem
    assert levels(caplog) == ["WARNING"]


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("what", ["experiment", "run"])
def test_what_was_deleted_is_a_warning_until_it_is_restored(open_run, what, caplog):
    tracker = open_run()
    client = settle(tracker)
    ids = {"run": tracker.run_id, "experiment": run_of(tracker).info.experiment_id}
    getattr(client, f"delete_{what}")(ids[what])
    log(tracker, range(3))
    wait_until(lambda: tracker.problem and "restore" in tracker.problem)
    assert tracker.unsent
    assert levels(caplog) == ["WARNING"]
    getattr(client, f"restore_{what}")(ids[what])
    tracker.finish("FINISHED")
    assert_whole(tracker, 3)


def test_drain_gives_up_at_once_when_sending_has_failed_before(open_run, server):
    tracker = open_run(uri=server.uri)
    log(tracker, range(3))
    wait_until(lambda: tracker.problem)
    begin = time.monotonic()
    tracker.finish("FINISHED")
    assert time.monotonic() - begin < 5
    assert tracker.unsent == 8


def test_drain_ends_when_its_time_is_up(open_run, monkeypatch):
    monkeypatch.setattr(courier.Courier, "send_next", lambda self: time.sleep(0.1))
    tracker = open_run(drain_seconds=0.3)
    begin = time.monotonic()
    tracker.finish("FINISHED")
    assert time.monotonic() - begin < 3
    assert tracker.unsent == 2
    assert tracker.problem == "MLflow was too slow for 0.3 s"


def test_refused_record_is_noted_and_holds_up_no_other(open_run, caplog):
    tracker = open_run()
    tracker.log_metrics({"loss": 0.5, "what?": 1.0}, step=1)
    tracker.log_metrics({"loss": 0.25}, step=2)
    tracker.finish("FINISHED")
    client = settle(tracker)
    assert points_of(client, tracker.run_id, "loss") == [(1, 0.5), (2, 0.25)]
    assert run_of(tracker).info.status == "FINISHED"
    assert ", metrics): what?:" in caplog.text
    lines = tracker._spool.refused.read_text().splitlines()
    assert '"line": 2, "kind": "metrics", "reason": "what?: ' in lines[0]
    assert "refused, see" in tracker.problem


def test_file_for_which_the_folder_has_no_room_is_kept_elsewhere(open_run, monkeypatch):
    tracker = open_run()
    replace = spool.replace_bytes

    def refuse(path, data, **how):
        if path.is_relative_to(tracker._spool.folder):
            raise OSError(errno.ENOSPC, "No space left on device")
        return replace(path, data, **how)

    monkeypatch.setattr(spool, "replace_bytes", refuse)
    tracker.log_text("hello", "a/note.txt")
    tracker.finish("FINISHED")
    assert stored(tracker, "a/note.txt") == "hello"


def test_file_that_is_gone_before_it_is_sent_holds_up_nothing(open_run):
    tracker = open_run()
    tracker.log_text("x", "gone.txt")
    (tracker._spool.artifacts / "gone.txt").unlink()
    tracker.finish("FINISHED")
    assert run_of(tracker).info.status == "FINISHED"
    assert tracker.problem == f"1 refused, see {tracker._spool.refused}"


def test_full_disk_holds_up_nothing_and_loses_nothing(open_run, monkeypatch, caplog):
    tracker = open_run()

    def refuse(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("experiments.tracking.spool.journal.write_all", refuse)
        patch.setattr(os, "fsync", refuse)
        log(tracker, range(10))
        tracker.finish("FINISHED")
    assert_whole(tracker, 10)
    disk = [r for r in caplog.records if r.name == "experiments.tracking.spool.journal"]
    assert [record.levelname for record in disk] == ["WARNING"]


@pytest.mark.timeout(120)
@pytest.mark.parametrize("store", ["database", "server"])
def test_everything_may_be_sent_twice(request, open_run, store):
    """A process may die between sending an entry and remembering that it did."""
    uri = None
    if store == "server":
        uri = request.getfixturevalue("running_server").uri
    tracker = open_run(uri=uri, experiment="sent twice")
    tracker.log_params({f"p{i}": i for i in range(120)})
    log(tracker, range(10))
    tracker.log_text("hello", "note.txt")
    tracker.finish("FAILED", "a reason")
    again = courier.Courier(
        tracker._spool,
        tracker._journal.entries,
        destination=tracker._destination,
    )
    again.sent = 0
    while again.unsent:
        again.send_next()
    assert again.refused == 0
    run = run_of(tracker)
    assert (run.info.status, len(run.data.params)) == ("FAILED", 120)
    assert reconcile_stale_runs(again.connection) == []
    assert_whole(tracker, 10)
