import signal
import subprocess
import sys

import psutil
import pytest

from experiments.errors import TrackingError
from experiments.tracking.spool.process import (
    BOOT,
    HOST,
    NAMESPACE,
    PID,
    STARTED,
    is_dead,
    process_tags,
)
from experiments.tracking.store.runs import reconcile
from tests.tracking.conftest import settle
from tests.warm import run_to_the_end

KILLED_CHILD = """
import os, sys, time
from pathlib import Path
from experiments.config.kinds.destination import Destination
from experiments.tracking.tracker import open_tracker
out = Path(sys.argv[1])
place = Destination(output_dir=out, experiment="some experiment")
tracker = open_tracker(destination=place, drain_seconds=9, folder=out / "victim",
    run_name="victim", parent_dir=Path(sys.argv[2]))
tracker.plan_params({"parts": 1})
tracker.start()
while tracker.unsent:
    time.sleep(0.01)
print(tracker.run_id, flush=True)
os.kill(os.getpid(), 9)
"""


@pytest.fixture
def dead():
    """Tags of a process of this host that has ended."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    started = psutil.Process(process.pid).create_time()
    process.communicate(b"\n")
    return {**process_tags(), PID: str(process.pid), STARTED: f"{started:.2f}"}


def status_of(tracker, run_id):
    run = settle(tracker).get_run(run_id)
    return run.info.status, run.data.tags.get("status.reason")


def test_this_process_lives():
    assert not is_dead(process_tags())


def test_ended_process_is_dead(dead):
    assert is_dead(dead)


def former(tags):
    """Returns tags as releases before the prefix have sent them."""
    return {name.removeprefix("experiments."): text for name, text in tags.items()}


def test_process_is_judged_by_the_tags_of_an_earlier_release_too(dead):
    assert "process.pid" in former(dead)
    assert is_dead(former(dead))
    assert not is_dead({**former(dead), **process_tags()})  # it was continued


def test_reused_number_is_a_later_process():
    assert is_dead({**process_tags(), STARTED: "1000.0"})


@pytest.mark.parametrize(
    "change", [{HOST: "elsewhere"}, {NAMESPACE: "pid:[1]"}, {PID: "x"}]
)
def test_process_that_cannot_be_judged_counts_as_alive(dead, change):
    assert not is_dead({**dead, **change})


def test_process_without_tags_counts_as_alive():
    assert not is_dead({})


def test_process_from_before_the_last_start_of_this_host_is_dead():
    before = psutil.boot_time() - 1000
    assert is_dead({**process_tags(), BOOT: "other", STARTED: f"{before:.2f}"})


def test_other_machine_of_the_same_name_counts_as_alive():
    later = psutil.boot_time() + 1000
    assert not is_dead({**process_tags(), BOOT: "other", STARTED: f"{later:.2f}"})


def test_only_the_run_of_the_dead_process_is_closed_at_the_next_start(open_run, dead):
    parent = open_run(run_name="sweep")
    child = open_run(run_name="child", parent_dir=parent._spool.job_folder)
    stale = open_run(run_name="stale")
    stale.set_tags(dead)
    elsewhere = open_run(run_name="elsewhere")
    elsewhere.set_tags({**dead, HOST: "elsewhere"})
    finished = open_run(run_name="finished")
    finished.set_tags(dead)
    finished.finish("FINISHED")
    for tracker in (parent, child, stale, elsewhere):
        settle(tracker)
    old = settle(parent).create_run("1", run_name="old", tags=former(dead)).info.run_id

    new = open_run(run_name="next", experiment="another experiment")
    settle(new)

    status, reason = status_of(new, stale.run_id)
    assert status == "KILLED"
    assert reason.startswith(f"process {dead[PID]} on {dead[HOST]} ended")
    assert status_of(new, old) == (status, reason)
    assert status_of(new, finished.run_id) == ("FINISHED", None)
    for tracker in (parent, child, elsewhere, new):
        assert status_of(new, tracker.run_id) == ("RUNNING", None)


def test_stale_run_that_cannot_be_closed_is_told_and_stops_nothing(
    open_run, dead, monkeypatch, caplog
):
    stale = open_run(run_name="stale")
    stale.set_tags(dead)
    settle(stale)

    def refuse(connection, run_id):
        raise TrackingError("not your run")

    monkeypatch.setattr(reconcile, "_close", refuse)
    new = open_run(run_name="next")
    assert status_of(new, stale.run_id) == ("RUNNING", None)
    assert "not your run" in caplog.text


def test_resumed_run_belongs_to_its_new_process(open_run, dead, tmp_path):
    first = open_run(folder=tmp_path / "job")
    first.set_tags(dead)
    first.finish("FAILED", "a reason")
    second = open_run(folder=tmp_path / "job")
    settle(second)
    settle(open_run())
    assert second.run_id == first.run_id
    assert status_of(second, first.run_id) == ("RUNNING", None)


def test_killed_child_of_a_sweep_is_closed_and_its_parent_is_not(open_run, tmp_path):
    parent = open_run(run_name="sweep")
    settle(parent)
    command = [sys.executable, "-c", KILLED_CHILD, str(tmp_path / "out")]
    victim = run_to_the_end([*command, str(parent._spool.job_folder)])
    assert victim.returncode == -signal.SIGKILL
    child_id = victim.stdout.strip()
    assert status_of(parent, child_id) == ("RUNNING", None)
    assert settle(parent).get_run(child_id).data.params == {}
    settle(open_run(run_name="next"))
    assert status_of(parent, child_id)[0] == "KILLED"
    # It died before its first step: what it would have run with was still a plan.
    assert settle(parent).get_run(child_id).data.params == {"parts": "1"}
    assert status_of(parent, parent.run_id)[0] == "RUNNING"


@pytest.mark.parametrize("pid", ["-1", "9" * 5000, "x", "1.5", ""])
def test_tag_that_is_no_process_closes_no_run(pid):
    """Somebody else may have written it."""
    assert not is_dead({**process_tags(), PID: pid})
