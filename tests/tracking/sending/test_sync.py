import json
import shutil
import signal
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from experiments.tracking.sending import sync as sync_module
from experiments.tracking.sending.sync import Synced, sync_folders
from experiments.tracking.spool.claims import find_folders
from experiments.tracking.spool.spool import Spool
from experiments.tracking.spooled_tracker import SpooledTracker
from tests.tracking.conftest import destination, points_of, run_of, settle
from tests.tracking.server import free_port
from tests.warm import run_to_the_end

KILLED = """
import os, sys
from pathlib import Path
from experiments.config.kinds.destination import Destination
from experiments.tracking.tracker import open_tracker
folder = Path(sys.argv[2])
out = Destination(output_dir=Path(sys.argv[1]), experiment="some experiment")
tracker = open_tracker(destination=out, drain_seconds=9, folder=folder,
    run_name="victim", parent_dir=folder.parent)
tracker.log_params({"a": 1})
tracker.plan_params({"b": 1, "c": 3})
tracker.plan_params({"b": 2})
os.kill(os.getpid(), 9)
"""

SYNC = """
import json, sys
from dataclasses import asdict
from pathlib import Path
from experiments.config.kinds.destination import Destination
from experiments.tracking.sending.sync import sync_folders
out = Destination(output_dir=Path(sys.argv[1]), ui_url="http://127.0.0.1:5000")
rows = sync_folders(out, uri=sys.argv[2] or None)
print(json.dumps([asdict(row) for row in rows], default=str))
"""


def sync_apart(out, uri=""):
    """Returns the rows of a process that knows no database of before.

    Libraries keep a database open, also when its file was deleted or replaced.
    """
    done = run_to_the_end([sys.executable, "-c", SYNC, str(out), uri])
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def remove_database(path):
    for suffix in ("", "-wal", "-shm"):
        path.with_name(f"{path.name}{suffix}").unlink(missing_ok=True)


def copy_database(path, target):
    with closing(sqlite3.connect(path)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)


def runs_in(path):
    """Returns id -> name, status and values of the metric of all runs."""
    with closing(sqlite3.connect(path)) as connection:
        runs = connection.execute("SELECT run_uuid, name, status FROM runs").fetchall()
        return {
            run_id: (name, status, values_in(connection, run_id))
            for run_id, name, status in runs
        }


def values_in(connection, run_id):
    query = "SELECT value FROM metrics WHERE run_uuid = ? ORDER BY step"
    return [value for (value,) in connection.execute(query, [run_id])]


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
    (row,) = sync_folders(destination(out, uri=absent))
    assert (row.sent, row.unsent) == (0, 3)
    assert f"no server answers at {absent}" in row.reason
    (row,) = sync_folders(destination(out), uri=f"sqlite:///{out}/mlflow.db")
    assert row == Synced(folder=tracker._spool.job_folder, sent=3)
    assert list(sync_folders(destination(out))) == []
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
    rows = list(sync_folders(destination(tmp_path / "out", uri=absent)))
    assert [row.unsent for row in rows] == [3, 3, 3]
    assert len(calls) == 1


def test_run_of_a_living_process_is_left_to_it(open_run, tmp_path, monkeypatch):
    monkeypatch.setattr(SpooledTracker, "start", lambda self: None)
    open_run()
    (row,) = sync_folders(destination(tmp_path / "out"))
    assert (row.sent, row.unsent) == (0, 1)
    assert row.reason == "its process is running and sends them"


def test_run_of_a_dead_process_is_sent_and_closed(open_run, tmp_path):
    out = tmp_path / "out"
    leave(out, out / "runs" / "victim")
    (row,) = sync_folders(destination(out))
    assert (row.sent, row.unsent) == (6, 0)
    client = settle(open_run())
    (run,) = client.search_runs(["1"], "attributes.run_name = 'victim'")
    assert run.info.status == "KILLED"
    assert run.data.params == {"a": "1", "b": "2", "c": "3"}
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
    # The sweep's own records were sent beside the child's, whose process found it dead.
    assert [row.folder for row in sync_folders(destination(out))] == [sweep / "job"]
    client = settle(child)
    parents = {
        run.data.tags.get("mlflow.parentRunId") for run in client.search_runs(["1"])
    }
    (parent_id,) = parents - {None}
    assert tags["mlflow.parentRunId"] == parent_id
    assert client.get_run(parent_id).data.params == {"a": "1", "b": "2", "c": "3"}
    assert len(client.search_runs(["1"])) == 3


def test_output_folder_may_be_moved_before_it_is_sent(open_run, tmp_path):
    out = tmp_path / "out"
    leave(out, out / "sweep")
    leave(out, out / "sweep" / "job")
    moved = out.rename(tmp_path / "moved")
    rows = list(sync_folders(destination(moved)))
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
    first, second = sync_folders(destination(out), uri=f"sqlite:///{out}/mlflow.db")
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
    second = open_run(uri=f"sqlite:///{tmp_path}/other.db", folder=folder)
    second.log_metrics({"loss": 0.25}, step=2)
    client = settle(second)
    assert second.run_id != first.run_id
    assert points_of(client, second.run_id, "loss") == [(1, 0.5), (2, 0.25)]


@pytest.fixture
def ended(open_run, tmp_path):
    """The output folder of a job that ended, with everything in its database."""
    tracker = open_run(folder=tmp_path / "out" / "job")
    tracker.log_metrics({"loss": 0.5, "nan": float("nan")}, step=1)
    tracker.log_text("hello", "a/note.txt")
    tracker.finish("FINISHED")
    assert tracker.unsent == 0
    return tmp_path / "out"


def test_what_is_in_the_store_is_not_sent_again(ended):
    before = runs_in(ended / "mlflow.db")
    assert sync_apart(ended) == []
    assert runs_in(ended / "mlflow.db") == before


def test_finished_job_is_sent_again_when_the_database_was_deleted(ended):
    ((former, run),) = runs_in(ended / "mlflow.db").items()
    remove_database(ended / "mlflow.db")
    shutil.rmtree(ended / "artifacts")
    (row,) = sync_apart(ended)
    assert (row["sent"], row["unsent"], row["reason"]) == (4, 0, None)
    ((now, again),) = runs_in(ended / "mlflow.db").items()
    assert row["run_id"] == now
    page, _, query = row["run_url"].partition("?")
    assert page == f"http://127.0.0.1:5000/#/experiments/1/runs/{now}"
    assert query == "workflowType=machine_learning"
    assert again == run
    assert now != former
    (note,) = (ended / "artifacts").rglob("note.txt")
    assert note.read_text() == "hello"
    assert sync_apart(ended) == []


@pytest.mark.parametrize("missing", ["end", "points", "run"])
def test_finished_job_is_sent_again_into_an_older_copy_of_the_database(
    open_run, tmp_path, missing
):
    out = tmp_path / "out"
    tracker = open_run(folder=out / "job")
    for step in range(3):
        if (step, missing) in ((0, "run"), (2, "points")):
            settle(open_run(folder=out / "another"))
            copy_database(out / "mlflow.db", tmp_path / "older.db")
        tracker.log_metrics({"loss": 0.5 / (step + 1)}, step=step)
        settle(tracker)
    if missing == "end":
        copy_database(out / "mlflow.db", tmp_path / "older.db")
    tracker.finish("FINISHED")
    shutil.rmtree(out / "another", ignore_errors=True)
    expected = runs_in(out / "mlflow.db")[tracker.run_id]
    remove_database(out / "mlflow.db")
    shutil.copy(tmp_path / "older.db", out / "mlflow.db")
    (row,) = sync_apart(out)
    assert (row["sent"], row["unsent"]) == (5, 0)
    found = runs_in(out / "mlflow.db")
    assert expected in found.values()
    assert (tracker.run_id in found) == (missing != "run")
    assert sync_apart(out) == []


READ = """
import sys
from pathlib import Path
from experiments.config.kinds.destination import Destination
from experiments.tracking.recorded import read_tags
tags = read_tags(sys.argv[2], Destination(output_dir=Path(sys.argv[1])))
print(tags.values["note"])
"""


def test_run_is_found_by_its_id_of_before_the_database_was_lost(open_run, tmp_path):
    """It stands in the tag that names the best trial, and on people's screens."""
    out = tmp_path / "out"
    tracker = open_run(folder=out / "job", tags={"note": "mine"})
    tracker.finish("FINISHED")
    for _ in range(2):
        remove_database(out / "mlflow.db")
        assert len(sync_apart(out)) == 1
        command = [sys.executable, "-c", READ, str(out), tracker.run_id]
        assert run_to_the_end(command).stdout == "mine\n"


def test_database_that_comes_back_has_its_run_again(ended, tmp_path):
    (first,) = runs_in(ended / "mlflow.db")
    copy_database(ended / "mlflow.db", tmp_path / "first.db")
    remove_database(ended / "mlflow.db")
    sync_apart(ended)
    remove_database(ended / "mlflow.db")
    shutil.copy(tmp_path / "first.db", ended / "mlflow.db")
    assert sync_apart(ended) == []
    assert list(runs_in(ended / "mlflow.db")) == [first]


def test_file_that_was_removed_from_the_store_is_sent_again(ended):
    (note,) = (ended / "artifacts").rglob("note.txt")
    note.unlink()
    (row,) = sync_apart(ended)
    assert row["sent"] == 4
    assert note.read_text() == "hello"


def test_finished_job_arrives_in_another_store_too_and_stays_in_its_own(
    ended, tmp_path
):
    other = tmp_path / "elsewhere" / "other.db"
    uri = f"sqlite:///{other}"
    before = runs_in(ended / "mlflow.db")
    (row,) = sync_apart(ended, uri)
    assert (row["sent"], row["unsent"], row["run_id"]) == (4, 0, None)
    assert list(runs_in(other).values()) == list(before.values())
    assert runs_in(other).keys().isdisjoint(before)
    assert sync_apart(ended, uri) == sync_apart(ended) == []
    assert runs_in(ended / "mlflow.db") == before
    remove_database(other)
    assert sync_apart(ended) == []
    assert len(sync_apart(ended, uri)) == 1


def test_job_that_was_sent_to_two_stores_goes_on_in_its_own(
    open_run, ended, tmp_path, caplog
):
    (own,) = runs_in(ended / "mlflow.db")
    sync_apart(ended, f"sqlite:///{tmp_path}/other.db")
    tracker = open_run(folder=ended / "job")
    assert tracker.run_id == own
    tracker.finish("FINISHED")
    assert tracker.run_id == own
    assert tracker._courier.delivered == 2
    assert caplog.text == ""


def test_child_that_is_sent_elsewhere_finds_its_parent_there(open_run, tmp_path):
    out, other = tmp_path / "out", tmp_path / "other.db"
    parent = open_run(folder=out / "sweep", run_name="sweep")
    child = open_run(folder=out / "sweep" / "job", parent_dir=out / "sweep")
    for tracker in (parent, child):
        tracker.finish("FINISHED")
    assert len(sync_apart(out, f"sqlite:///{other}")) == 2
    ids = {name: run_id for run_id, (name, *_) in runs_in(other).items()}
    with closing(sqlite3.connect(other)) as connection:
        query = "SELECT run_uuid, value FROM tags WHERE key = 'mlflow.parentRunId'"
        assert connection.execute(query).fetchall() == [(ids["a run"], ids["sweep"])]


def test_older_copy_of_another_store_is_noticed_too(ended, tmp_path):
    other = tmp_path / "other.db"
    uri = f"sqlite:///{other}"
    sync_apart(ended, uri)
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("UPDATE runs SET status = 'RUNNING', end_time = NULL")
        connection.commit()
    (row,) = sync_apart(ended, uri)
    assert (row["sent"], row["unsent"]) == (4, 0)
    assert [status for _, status, _ in runs_in(other).values()] == ["FINISHED"]


def test_folder_whose_process_died_before_its_first_record_has_nothing(tmp_path):
    folder = tmp_path / "out" / "job" / "tracking"
    folder.mkdir(parents=True)
    (folder / "journal.jsonl").touch()
    assert list(sync_folders(destination(tmp_path / "out"))) == []


def test_finished_run_that_was_deleted_in_mlflow_stays_deleted(open_run, ended):
    client = settle(open_run(folder=ended / "another"))
    shutil.rmtree(ended / "another")
    run_id = Spool(ended / "job").read_run_id()
    client.delete_run(run_id)
    assert list(sync_folders(destination(ended))) == []
    assert client.get_run(run_id).info.lifecycle_stage == "deleted"


def test_store_that_cannot_be_asked_is_not_said_to_have_everything(
    open_run, running_server, absent
):
    """The server that has the run is away: nobody knows what it has."""
    tracker = open_run(uri=running_server.uri, ui_url=None)
    tracker.finish("FINISHED")
    out, spool = tracker._destination.output_dir, tracker._spool
    # Another address for the same server, which then is not there.
    text = spool.journal.read_text().replace(running_server.uri, absent)
    spool.journal.write_text(text)
    spool.write_run_id(tracker.run_id, absent)
    (row,) = sync_folders(destination(out, uri=absent))
    assert (row.sent, row.unsent, row.asked) == (0, 0, False)
    assert f"no server answers at {absent}" in row.reason
    # The server has moved to an address that is known: its run is found again.
    assert list(sync_folders(destination(out), uri=running_server.uri)) == []


def test_folders_of_an_earlier_release_are_known(ended):
    spool = Spool(ended / "job")
    run_id = spool.read_run_id()
    content = {"run_id": run_id}
    (spool.folder / "run.json").write_text(json.dumps(content))
    (spool.folder / "sent.json").write_text(json.dumps({**content, "sent": 4}))
    assert sync_apart(ended) == []
    assert (spool.read_run_id(), spool.read_sent(run_id)) == (run_id, 4)
