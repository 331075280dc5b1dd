"""A journal that names what lies outside of its folder, or whom to send to."""

import http.server
import json
import os
import shutil
import threading
from pathlib import Path

import pytest

from experiments.tracking.sending.sync import sync_folders
from experiments.tracking.spooled_tracker import SpooledTracker
from tests.canary import watched
from tests.tracking.conftest import destination, run_of, settle


@pytest.fixture
def outside(tmp_path):
    """Somebody's key, and a folder that looks like a model."""
    folder = tmp_path / "outside"
    (folder / "model" / "data").mkdir(parents=True)
    (folder / "id_rsa").write_text("SECRET")
    (folder / "model" / "MLmodel").write_text("flavors: {}")
    (folder / "model" / "data" / "weights").write_text("SECRET")
    return folder


@pytest.fixture
def unsent(open_run, monkeypatch, tmp_path):
    """A job whose process has died before it sent anything."""
    monkeypatch.setattr(SpooledTracker, "start", lambda self: None)
    tracker = open_run(folder=tmp_path / "out" / "job")
    tracker.log_text("hello", "note.txt")
    return tracker


def close(tracker):
    """Adds a record behind all others, and lets others send."""
    # Not through the tracker, whose thread would begin to send.
    tracker._journal.append("metrics", {"step": 1, "values": {"loss": 0.5}})
    tracker._journal.append("end", {"status": "FINISHED", "reason": None})
    tracker._journal.close()
    tracker._spool.disown()


def rewrite(tracker, change):
    """Changes the content of the session's entry."""
    path = tracker._spool.journal
    first, *rest = path.read_text().splitlines(keepends=True)
    entry = json.loads(first)
    change(entry["content"])
    path.write_text(json.dumps(entry) + "\n" + "".join(rest))


def secrets_in(folder):
    return [
        path
        for path in folder.rglob("*")
        if path.is_file() and b"SECRET" in path.read_bytes()
    ]


def touched(seen):
    """What was more than a look whether something is there."""
    return [event for event in seen if not event.startswith("os.listdir")]


NAMES = [
    "{outside}/id_rsa",
    "../../../outside/id_rsa",
    "artifacts/link",
    "links/id_rsa",
    "/job/tracking/../../../outside/id_rsa",
]


@pytest.mark.parametrize("name", NAMES)
def test_file_outside_is_refused_and_the_records_behind_it_are_sent(
    name, unsent, outside, tmp_path
):
    (unsent._spool.artifacts / "link").symlink_to(outside / "id_rsa")
    (unsent._spool.folder / "links").symlink_to(outside)
    content = {"path": "key.txt", "file": name.format(outside=outside)}
    unsent._journal.append("artifact", content)
    close(unsent)

    with watched(outside) as seen:
        (row,) = sync_folders(destination(tmp_path / "out"))

    assert (row.sent, row.refused, row.unsent, row.reason) == (4, 1, 0, None)
    (refusal,) = row.refusals
    assert refusal.startswith(f"line 3 (artifact): {content['file']!r} lies outside")
    assert "lies outside of" in refusal
    assert "lies outside of" in unsent._spool.refused.read_text()
    assert touched(seen) == []
    assert secrets_in(tmp_path / "out" / "artifacts") == []
    (note,) = (tmp_path / "out" / "artifacts").rglob("note.txt")
    assert note.read_text() == "hello"
    assert list(sync_folders(destination(tmp_path / "out"))) == []


@pytest.mark.parametrize(
    "name", ["{outside}/model", "../../../outside/model", "models/link"]
)
def test_folder_outside_is_neither_sent_nor_removed(name, unsent, outside, tmp_path):
    unsent._spool.models.mkdir()
    (unsent._spool.models / "link").symlink_to(outside / "model")
    folder = name.format(outside=outside)
    unsent._journal.append("model", {"name": "model", "step": 1, "folder": folder})
    close(unsent)

    with watched(outside) as seen:
        (row,) = sync_folders(destination(tmp_path / "out"))

    assert (row.sent, row.refused, row.unsent) == (4, 1, 0)
    assert "lies outside of" in row.refusals[0]
    assert touched(seen) == []
    assert (outside / "model" / "data" / "weights").read_text() == "SECRET"
    assert secrets_in(tmp_path / "out" / "artifacts") == []


def test_link_in_a_model_leads_nowhere(unsent, outside, tmp_path):
    folder = unsent._spool.models / "model-1"
    shutil.copytree(outside / "model", folder, ignore=lambda *_: ["weights"])
    (folder / "data" / "weights").symlink_to(outside / "id_rsa")
    where = "models/model-1"
    unsent._journal.append("model", {"name": "model", "step": 1, "folder": where})
    close(unsent)

    with watched(outside) as seen:
        (row,) = sync_folders(destination(tmp_path / "out"))

    assert (row.sent, row.refused) == (4, 1)
    assert "is a link or no ordinary file" in row.refusals[0]
    assert touched(seen) == []
    assert secrets_in(tmp_path / "out" / "artifacts") == []


def test_model_is_not_fetched_from_outside(unsent, outside, tmp_path):
    place = {str(len(unsent._journal.entries)): str(outside / "model")}
    (unsent._spool.folder / "models.json").write_text(json.dumps(place))
    where = "models/model-1"
    unsent._journal.append("model", {"name": "model", "step": 1, "folder": where})
    close(unsent)

    with watched(outside) as seen:
        (row,) = sync_folders(destination(tmp_path / "out"))

    assert (row.sent, row.refused) == (4, 1)
    assert "no place of models" in row.refusals[0]
    assert touched(seen) == []
    assert secrets_in(tmp_path / "out") == []


def test_sweep_outside_is_not_looked_at(unsent, outside, tmp_path):
    close(unsent)
    shutil.copytree(unsent._spool.folder, outside / "tracking")
    (outside / "tracking" / "run.json").unlink(missing_ok=True)
    rewrite(unsent, lambda content: content.update(parent="../../outside"))

    with watched(outside) as seen:
        (row,) = sync_folders(destination(tmp_path / "out"))

    assert (row.sent, row.refused) == (3, 1)
    assert "outside of the output folder" in row.refusals[0]
    assert touched(seen) == []
    assert not (outside / "tracking" / "run.json").exists()


def test_process_that_continues_a_tampered_job_sends_nothing_of_it(
    open_run, unsent, outside, tmp_path, caplog, monkeypatch
):
    content = {"path": "key.txt", "file": str(outside / "id_rsa")}
    unsent._journal.append("artifact", content)
    close(unsent)
    monkeypatch.undo()

    again = open_run(folder=tmp_path / "out" / "job")
    with watched(outside) as seen:
        settle(again)
    again.finish("FINISHED")

    assert touched(seen) == []
    assert "lies outside of" in caplog.text
    assert "1 refused" in again.problem
    assert run_of(again).data.metrics == {"loss": 0.5}


class _Store(http.server.BaseHTTPRequestHandler):
    """Notes what it is asked, and has nothing."""

    def do_GET(self):
        self.server.asked.append(self.path)
        self.send_error(404)

    def log_message(self, *_):
        pass


@pytest.fixture
def other_store():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Store)
    server.asked = []
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_journal_does_not_choose_whom_to_send_to(unsent, other_store, tmp_path):
    close(unsent)
    address = f"http://127.0.0.1:{other_store.server_port}"
    rewrite(unsent, lambda content: content["target"].update(uri=address))

    (row,) = sync_folders(destination(tmp_path / "out"))

    assert other_store.asked == []
    assert (row.meant_for, row.sent, row.unsent) == (address, 0, 4)
    assert not (tmp_path / "out" / "mlflow.db").exists()

    (row,) = sync_folders(destination(tmp_path / "out"), uri=address)

    assert "/health" in other_store.asked
    assert (row.meant_for, row.sent, row.unsent) == (None, 0, 4)


def test_each_store_gets_what_is_meant_for_it(open_run, unsent, other_store, tmp_path):
    address = f"http://127.0.0.1:{other_store.server_port}"
    another = open_run(folder=tmp_path / "out" / "other", uri=address)
    close(another)
    close(unsent)
    # What stands behind a question mark, and who asks, is nobody's address.
    same = destination(tmp_path / "out", uri=f"{address}/?a=b", ui_url=None)

    here, there = sync_folders(destination(tmp_path / "out"))
    assert (here.folder.name, here.sent, here.meant_for) == ("job", 4, None)
    assert (there.folder.name, there.sent, there.meant_for) == ("other", 0, address)
    assert other_store.asked == []

    here, there = sync_folders(same)
    assert here.meant_for == f"sqlite:///{tmp_path}/out/mlflow.db"
    assert there.meant_for is None
    assert other_store.asked != []


@pytest.mark.parametrize(
    "address", ["file:///etc", "", "a b", "ftp://h", "sqlite:///x?y"]
)
def test_odd_address_is_none(address, unsent, tmp_path):
    close(unsent)
    rewrite(unsent, lambda content: content["target"].update(uri=address))

    (row,) = sync_folders(destination(tmp_path / "out"))

    assert row.meant_for is not None
    assert (row.sent, row.unsent) == (0, 4)


@pytest.mark.timeout(60)
def test_folder_that_cannot_be_read_is_told_and_the_others_are_sent(
    unsent, outside, tmp_path
):
    close(unsent)
    out = tmp_path / "out"
    for name in ("a pipe", "a link", "a device"):
        (out / name / "tracking").mkdir(parents=True)
    Path(out / "a device" / "tracking" / "journal.jsonl").symlink_to("/dev/zero")
    (out / "a link" / "tracking").rmdir()
    shutil.copytree(unsent._spool.folder, outside / "tracking")
    (out / "a link" / "tracking").symlink_to(outside / "tracking")
    os.mkfifo(out / "a pipe" / "tracking" / "journal.jsonl")
    before = sorted(path.name for path in (outside / "tracking").iterdir())

    rows = {row.folder.name: row for row in sync_folders(destination(out))}

    assert "no ordinary file" in rows["a pipe"].reason
    assert "leads out" in rows["a device"].reason
    assert "a link that leads out of the job's folder" in rows["a link"].reason
    assert (rows["job"].sent, rows["job"].unsent) == (4, 0)
    assert sorted(path.name for path in (outside / "tracking").iterdir()) == before


def test_count_of_what_was_sent_is_not_believed_beyond_the_journal(unsent, tmp_path):
    close(unsent)
    (row,) = sync_folders(destination(tmp_path / "out"))
    spool = unsent._spool
    spool.write_sent(spool.read_run_id(), 10**12)

    (row,) = sync_folders(destination(tmp_path / "out"))

    assert (row.sent, row.unsent, row.reason) == (4, 0, None)
    assert spool.read_sent(spool.read_run_id()) == 4


def test_run_of_the_same_name_that_holds_records_is_not_removed(unsent, tmp_path):
    """Only an empty one is what a slow server has left."""
    out = tmp_path / "out"
    close(unsent)
    list(sync_folders(destination(out)))
    client = unsent._courier.connect().client
    run = client.get_run(unsent._spool.read_run_id())
    job_id = run.data.tags["experiments.job_id"]
    tags = {"experiments.job_id": job_id}
    full, empty = (client.create_run(run.info.experiment_id, tags=tags) for _ in "ab")
    client.log_metric(full.info.run_id, "loss", 0.25)
    unsent._spool.write_sent(run.info.run_id, 0)

    list(sync_folders(destination(out)))

    stages = [
        client.get_run(other.info.run_id).info.lifecycle_stage
        for other in (full, empty)
    ]
    assert stages == ["active", "deleted"]
