"""A process killed at random moments: every point is there once, in one run."""

import os
import random
import signal
import subprocess
import sys
import time

import pytest

from experiments.tracking.spool.journal import read_entries
from experiments.tracking.spool.spool import Spool
from tests.tracking.conftest import points_of, run_of, settle

STEPS = 100
SEED_VARIABLE = "KILLS_SEED"

# Goes back a few steps when it is started again, as from a checkpoint.
JOB = """
import sys, time
from pathlib import Path
from experiments.config.kinds.destination import Destination
from experiments.tracking.tracker import open_tracker
out, uri = Path(sys.argv[1]), sys.argv[2] or None
place = Destination(output_dir=out, uri=uri, experiment="killed", server_timeout=5)
tracker = open_tracker(destination=place, drain_seconds=60, folder=out / "job",
    run_name="job", tags={"a": "b"})
tracker.log_params({"lr": 0.1, "depth": 50})
tracker.log_text("config", "config.yaml")
tracker.start()
done, draft = out / "done", out / "draft"
first = max(0, int(done.read_text()) - 5) if done.exists() else 0
for step in range(first, int(sys.argv[3])):
    tracker.log_metrics({"loss": 1 / (step + 1), "clock": time.time()}, step=step)
    draft.write_text(str(step))
    draft.replace(done)
    time.sleep(0.02)
tracker.log_metrics({"best_loss": 0.01}, step=7)
tracker.finish("FINISHED")
sys.exit(tracker.unsent)
"""


def start(out, uri):
    command = [sys.executable, "-W", "error", "-c", JOB, str(out), uri, str(STEPS)]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def kill(out, uri, seconds):
    process = start(out, uri)
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    _, errors = process.communicate()
    assert "Traceback" not in errors


def check(out, open_run, uri, sessions):
    process = start(out, uri)
    _, errors = process.communicate(timeout=120)
    assert (process.returncode, errors) == (0, "")
    entries = read_entries(Spool(out / "job").journal)
    tracker = open_run(uri=uri or None, experiment="killed")
    client = settle(tracker)
    query = "attributes.run_name = 'job'"
    experiment = run_of(tracker).info.experiment_id
    (run,) = client.search_runs([experiment], query)
    run_id = run.info.run_id
    expected = [(step, 1 / (step + 1)) for step in range(STEPS)]
    assert points_of(client, run_id, "loss") == expected
    journalled = {
        (entry.time, entry.content["step"], value)
        for entry in entries
        if entry.kind == "metrics"
        for key, value in entry.content["values"].items()
        if key == "clock"
    }
    history = client.get_metric_history(run_id, "clock")
    assert {(p.timestamp, p.step, p.value) for p in history} == journalled
    assert len(history) == len(journalled) == STEPS
    assert run.data.metrics["best_loss"] == 0.01
    assert run.data.params == {"lr": "0.1", "depth": "50"}
    assert run.info.status == "FINISHED"
    assert "status.reason" not in run.data.tags
    count = sum(entry.kind == "session" for entry in entries) - 1
    assert count <= sessions
    assert run.data.tags.get("resumed.count", "0") == str(count)
    assert run.data.tags.get("resumed.times", "").count("Z") == count


@pytest.fixture
def generator():
    seed = int(os.environ.get(SEED_VARIABLE) or time.time_ns() % 2**32)
    print(f"To draw the same moments again: {SEED_VARIABLE}={seed}")
    return random.Random(seed)


@pytest.mark.timeout(200)
@pytest.mark.parametrize(
    "kills", [3, pytest.param(30, marks=[pytest.mark.slow, pytest.mark.timeout(900)])]
)
def test_killed_job_leaves_every_point_once(open_run, tmp_path, generator, kills):
    out = tmp_path / "out"
    for _ in range(kills):
        kill(out, "", generator.uniform(0.2, 4))
    check(out, open_run, "", kills)


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_job_killed_on_a_server_leaves_every_point_once(
    running_server, open_run, tmp_path, generator
):
    out = tmp_path / "out"
    for _ in range(10):
        kill(out, running_server.uri, generator.uniform(0.2, 4))
    check(out, open_run, running_server.uri, 10)
