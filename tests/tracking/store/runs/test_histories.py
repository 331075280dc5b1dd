import math
import subprocess
import sys
from types import SimpleNamespace

import pytest

from experiments.tracking.spool.spool import Spool
from experiments.tracking.store.runs import histories
from experiments.tracking.store.runs.histories import SiblingHistories
from tests.tracking.conftest import destination, settle
from tests.tracking.server import free_port

METRIC = "val_accuracy"


@pytest.fixture
def start(open_run, tmp_path):
    """Returns a function that opens a job of a sweep and logs its epochs."""

    def start(parent, values=(), **options):
        job = open_run(parent_dir=folder_of(parent), **options)
        log(job, values)
        return job

    return start


def folder_of(tracker):
    return tracker._spool.job_folder


def log(tracker, values, first=1):
    for epoch, value in enumerate(values, start=first):
        tracker.log_metrics({METRIC: value, "loss": 9.0}, step=epoch)
    settle(tracker)


def reader(job, parent, tmp_path, **changes):
    return SiblingHistories(
        folder_of(job),
        folder_of(parent),
        destination=destination(tmp_path / "out", **changes),
        metric=METRIC,
    )


@pytest.fixture
def requests(monkeypatch):
    """The runs whose history is asked of MLflow."""
    from mlflow import MlflowClient

    asked = []
    original = MlflowClient.get_metric_history

    def note(client, run_id, key):
        asked.append(run_id)
        return original(client, run_id, key)

    monkeypatch.setattr(MlflowClient, "get_metric_history", note)
    return asked


def test_the_other_jobs_of_the_sweep_are_read(open_run, start, tmp_path):
    sweep, another = open_run(run_name="sweep"), open_run(run_name="another sweep")
    own = start(sweep, [0.1, 0.2])
    ended, running = start(sweep, [0.3, 0.4, 0.5]), start(sweep, [0.6])
    start(sweep)  # has no epoch yet
    start(another, [0.7])
    ended.finish("FINISHED")

    found = reader(own, sweep, tmp_path)()

    assert found == {ended.run_id: [0.3, 0.4, 0.5], running.run_id: [0.6]}


def test_running_job_is_read_again_and_an_ended_one_once(
    open_run, start, tmp_path, requests
):
    sweep = open_run(run_name="sweep")
    own, ended, running = (start(sweep, [0.5]) for _ in range(3))
    ended.finish("FAILED", "a reason")
    read = reader(own, sweep, tmp_path)
    read()
    log(running, [0.6], first=2)

    assert read() == {ended.run_id: [0.5], running.run_id: [0.5, 0.6]}
    assert sorted(requests) == sorted([ended.run_id] + 2 * [running.run_id])


def test_job_that_ended_twice_is_read_twice(open_run, start, tmp_path):
    sweep = open_run(run_name="sweep")
    own, other = start(sweep, [0.5]), start(sweep, [0.5])
    other.finish("KILLED", "preempted")
    read = reader(own, sweep, tmp_path)
    read()

    resumed = start(sweep, folder=folder_of(other))
    log(resumed, [0.6], first=2)
    running = read()
    log(resumed, [0.7], first=3)
    resumed.finish("FINISHED")

    assert running == {other.run_id: [0.5, 0.6]}
    assert read() == {other.run_id: [0.5, 0.6, 0.7]}


def test_jobs_that_ended_are_listed_page_by_page_until_all_are_known(
    open_run, start, tmp_path, requests, monkeypatch
):
    monkeypatch.setattr(histories, "_PAGE", 2)
    sweep = open_run(run_name="sweep")
    own, *others = (start(sweep, [0.5]) for _ in range(6))
    read = reader(own, sweep, tmp_path)
    for other in others[:4]:
        other.finish("FINISHED")
    before = read()
    requests.clear()
    others[4].finish("FINISHED")

    assert set(before) == set(read()) == {other.run_id for other in others}
    assert requests == [others[4].run_id]


def test_nan_stays_and_a_missing_epoch_is_nan(open_run, start, tmp_path):
    sweep = open_run(run_name="sweep")
    own, other = start(sweep), start(sweep, [math.nan, 0.5])
    log(other, [0.7], first=4)

    (values,) = reader(own, sweep, tmp_path)().values()

    assert values == pytest.approx([math.nan, 0.5, math.nan, 0.7], nan_ok=True)


def test_server_is_read_like_a_database(open_run, start, tmp_path, running_server):
    there = {"uri": running_server.uri, "experiment": "histories"}
    sweep = open_run(run_name="sweep", **there)
    own, other = start(sweep, [0.1], **there), start(sweep, [math.nan, 0.5], **there)

    (found,) = reader(own, sweep, tmp_path, **there)().items()

    assert found[0] == other.run_id
    assert found[1] == pytest.approx([math.nan, 0.5], nan_ok=True)


@pytest.mark.parametrize("unknown", ["own", "parent"])
def test_nothing_is_read_before_the_run_and_its_parent_are_in_mlflow(
    unknown, open_run, start, tmp_path
):
    sweep = open_run(run_name="sweep")
    own = start(sweep, [0.1])
    start(sweep, [0.2])
    tracker = own if unknown == "own" else sweep
    (tracker._spool.folder / "run.json").unlink()

    assert reader(own, sweep, tmp_path)() == {}


def test_without_a_record_there_are_no_siblings(tmp_path):
    off = SiblingHistories(
        tmp_path / "job",
        tmp_path,
        destination=destination(tmp_path, enabled=False),
        metric=METRIC,
    )
    assert off() == {}
    assert list(tmp_path.iterdir()) == []


def known(folder):
    """A folder whose run has an id, but in no store that can be reached."""
    spool = Spool(folder)
    spool.folder.mkdir(parents=True)
    spool.write_run_id(folder.name)
    return folder


def test_store_that_is_absent_is_told_once(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(histories, "_SHARE", math.inf)
    absent = SiblingHistories(
        known(tmp_path / "job"),
        known(tmp_path / "sweep"),
        destination=destination(tmp_path, uri=f"http://127.0.0.1:{free_port()}"),
        metric=METRIC,
    )
    assert absent() == absent() == {}
    (record,) = caplog.records
    assert "no server answers at http://127.0.0.1" in record.message


def test_store_that_fails_is_left_alone_for_a_while_and_then_read(
    open_run, start, tmp_path, monkeypatch
):
    sweep = open_run(run_name="sweep")
    own, other = start(sweep), start(sweep, [0.5])
    read = reader(own, sweep, tmp_path)
    tries = []

    def fail(destination, *, create):
        assert not create
        tries.append(destination)
        raise ValueError("something unforeseen")

    with monkeypatch.context() as patch:
        patch.setattr(histories, "connect", fail)
        patch.setattr(histories, "_SHARE", 1e-9)
        assert read() == read() == {}
    assert len(tries) == 1
    read._not_before = 0.0
    assert read() == {other.run_id: [0.5]}


def test_import_is_light():
    code = (
        "import sys, experiments.tracking.store.runs.histories\n"
        "print({'mlflow', 'keras', 'tensorflow'} & set(sys.modules))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True)
    assert result.stdout == b"set()\n"


@pytest.mark.timeout(20)
def test_step_that_is_no_epoch_takes_no_memory():
    points = [
        SimpleNamespace(step=step, value=0.5, timestamp=step) for step in (1, 2, 10**15)
    ]
    assert histories._as_epochs(points) == [0.5, 0.5]
