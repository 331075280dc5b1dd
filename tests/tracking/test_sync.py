import signal
import sys
from pathlib import Path

import pytest

from experiments.tracking import sync as sync_module
from experiments.tracking.spooled_tracker import SpooledTracker
from experiments.tracking.sync import Synced, find_folders, sync_folders
from tests.warm import run_to_the_end

from .conftest import CONNECTION, points_of, run_of, settle
from .server import free_port

KILLED = """
import os, sys
from pathlib import Path
from experiments.tracking.tracker import open_tracker
folder = Path(sys.argv[2])
tracker = open_tracker(enabled=True, uri=None, experiment="some experiment",
    ui_url="http://127.0.0.1:5000", server_timeout=5, drain_seconds=9,
    output_dir=Path(sys.argv[1]), folder=folder, run_name="victim",
    parent_dir=folder.parent)
tracker.log_params({"a": 1})
os.kill(os.getpid(), 9)
"""


def leave(out: Path, folder: Path) -> None:
    """Starts a run in another process, which is killed before it sends anything."""
    command = [sys.executable, "-c", KILLED, str(out), str(folder)]
    assert run_to_the_end(command).returncode == -signal.SIGKILL


@pytest.fixture
def absent():
    """The address of a server that is not there."""
    return f"http://127.0.0.1:{free_port()}"


def finished(open_run, **changes):
    """A run that ended while MLflow was not there."""
    tracker = open_run(**changes)
    tracker.log_metrics({"loss": 0.5}, step=1)
    tracker.finish("FINISHED")
    return tracker


def test_unsent_run_is_sent_once_to_where_it_belongs_now(open_run, absent, tmp_path):
    out = tmp_path / "out"
    tracker = finished(open_run, drain_seconds=0.5, uri=absent)
    assert tracker.unsent == 3
    (row,) = sync_folders(out)
    assert (row.sent, row.unsent) == (0, 3)
    assert f"no server answers at {absent}" in row.reason
    (row,) = sync_folders(out, uri=f"sqlite:///{out}/mlflow.db")
    assert row == Synced(folder=tracker._spool.job_folder, sent=3)
    assert list(sync_folders(out)) == []
    client = settle(open_run())
    run = client.get_run(tracker._spool.read_run_id())
    assert (run.info.status, run.data.metrics) == ("FINISHED", {"loss": 0.5})


def test_absent_server_is_asked_once_for_all_folders(
    open_run, absent, tmp_path, monkeypatch
):
    for _ in range(3):
        finished(open_run, drain_seconds=0.5, uri=absent)
    calls = []
    monkeypatch.setattr(
        sync_module.Courier, "_connect", lambda self: calls.append(1) or 1 / 0
    )
    rows = list(sync_folders(tmp_path / "out"))
    assert [row.unsent for row in rows] == [3, 3, 3]
    assert len(calls) == 1


def test_run_of_a_living_process_is_left_to_it(open_run, tmp_path, monkeypatch):
    monkeypatch.setattr(SpooledTracker, "start", lambda self: None)
    open_run()
    (row,) = sync_folders(tmp_path / "out")
    assert (row.sent, row.unsent) == (0, 1)
    assert row.reason == "its process is running and sends them"


def test_run_of_a_dead_process_is_sent_and_closed(open_run, tmp_path):
    out = tmp_path / "out"
    leave(out, out / "runs" / "victim")
    (row,) = sync_folders(out)
    assert (row.sent, row.unsent) == (2, 0)
    client = settle(open_run())
    (run,) = client.search_runs(["1"], "attributes.run_name = 'victim'")
    assert (run.info.status, run.data.params) == ("KILLED", {"a": "1"})
    assert "ended without closing" in run.data.tags["status.reason"]


def test_child_finds_its_parent_whoever_is_sent_first(open_run, tmp_path):
    out = tmp_path / "out"
    sweep = out / "sweep"
    leave(out, sweep)
    leave(out, sweep / "job")
    assert find_folders(out) == [sweep, sweep / "job"]
    # A job on another machine is quicker than the sweep's own process.
    child = open_run(folder=sweep / "another", parent_dir=sweep)
    tags = run_of(child).data.tags
    assert len(list(sync_folders(out))) == 2
    client = settle(child)
    parents = {
        run.data.tags.get("mlflow.parentRunId") for run in client.search_runs(["1"])
    }
    (parent_id,) = parents - {None}
    assert tags["mlflow.parentRunId"] == parent_id
    assert client.get_run(parent_id).data.params == {"a": "1"}
    assert len(client.search_runs(["1"])) == 3


def test_output_folder_may_be_moved_before_it_is_sent(open_run, tmp_path):
    out = tmp_path / "out"
    leave(out, out / "sweep")
    leave(out, out / "sweep" / "job")
    moved = out.rename(tmp_path / "moved")
    rows = list(sync_folders(moved))
    assert [row.unsent for row in rows] == [0, 0]
    client = settle(open_run(output_dir=moved, folder=moved / "new"))
    runs = client.search_runs(["1"], "attributes.run_name = 'victim'")
    assert len(runs) == 2
    assert sum("mlflow.parentRunId" in run.data.tags for run in runs) == 1


def test_damaged_journal_is_told_and_the_others_are_sent(open_run, absent, tmp_path):
    damaged, _ = (finished(open_run, drain_seconds=0.5, uri=absent) for _ in range(2))
    lines = damaged._spool.journal.read_bytes().splitlines(keepends=True)
    damaged._spool.journal.write_bytes(b"?\n" + b"".join(lines[1:]))
    out = tmp_path / "out"
    first, second = sync_folders(out, uri=f"sqlite:///{out}/mlflow.db")
    assert first.unsent > 0
    assert first.reason == "its journal does not say what the run is"
    assert (second.sent, second.unsent) == (3, 0)


def test_job_whose_journal_is_damaged_goes_on(open_run, absent, tmp_path):
    folder = tmp_path / "out" / "job"
    first = finished(open_run, drain_seconds=0.5, uri=absent, folder=folder)
    lines = first._spool.journal.read_bytes().splitlines(keepends=True)
    first._spool.journal.write_bytes(b"?\n" + b"".join(lines[1:]))
    second = open_run(folder=folder)
    second.log_metrics({"loss": 0.25}, step=2)
    second.finish("FINISHED")
    client = settle(second)
    assert points_of(client, second.run_id, "loss") == [(1, 0.5), (2, 0.25)]
    assert "1 refused" in second.problem


def test_resumed_run_is_sent_by_whoever_comes_first(open_run, absent, tmp_path):
    """Unsent records of the first process go before those of the second."""
    folder = tmp_path / "out" / "job"
    finished(open_run, drain_seconds=0.5, uri=absent, folder=folder)
    second = open_run(folder=folder)
    second.log_metrics({"loss": 0.25}, step=2)
    second.finish("FINISHED")
    client = settle(second)
    assert points_of(client, second.run_id, "loss") == [(1, 0.5), (2, 0.25)]
    assert client.get_run(second.run_id).data.tags["resumed.count"] == "1"


def test_lost_database_is_filled_again(open_run, tmp_path):
    """The folder keeps every record; only models are not kept twice."""
    folder = tmp_path / "out" / "job"
    first = finished(open_run, folder=folder)
    other = {**CONNECTION, "uri": f"sqlite:///{tmp_path}/other.db"}
    second = open_run(**other, folder=folder)
    second.log_metrics({"loss": 0.25}, step=2)
    client = settle(second)
    assert second.run_id != first.run_id
    assert points_of(client, second.run_id, "loss") == [(1, 0.5), (2, 0.25)]
