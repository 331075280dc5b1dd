"""A sweep that is killed continues with the same folders and the same parent run."""

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.faults.conftest import JOB, Command, read_runs

FEW = ("trainer.epochs=6", "schedule.warmup_epochs=1")


@pytest.fixture
def sweep(tmp_path: Path) -> Callable[..., Command]:
    return lambda *overrides: Command(tmp_path, "-m", *JOB, *FEW, *overrides)


def results(command: Command) -> dict[str, Any]:
    paths = command.folder.glob("outputs/sweeps/*/*/result.json")
    return {path.parent.name: json.loads(path.read_text()) for path in paths}


def test_killed_sweep_skips_what_is_finished(sweep: Callable[..., Command]) -> None:
    command = sweep("seed=0,1,2")
    process = command.start()
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("job 2 of 3"):
            break
    process.send_signal(signal.SIGKILL)
    process.communicate()
    (before,) = results(command).values()
    done = command.finish()
    assert done.returncode == 0, done.stderr
    assert "seed=0: finished before, not run again." in done.stdout
    found = results(command)
    assert sorted(r["name"] for r in found.values()) == ["seed=0", "seed=1", "seed=2"]
    assert before in found.values()
    runs = {run["name"]: run for run in read_runs(command.folder)}
    assert len(runs) == 4
    assert {run["status"] for run in runs.values()} == {"FINISHED"}
    parents = {run["tags"].get("mlflow.parentRunId") for run in runs.values()}
    assert len(parents - {None}) == 1
    assert len(list(command.folder.glob("outputs/sweeps/*"))) == 1


@pytest.mark.slow
def test_failed_job_is_tried_again_only_when_wished(
    sweep: Callable[..., Command], tmp_path: Path
) -> None:
    for name in ("cat", "dog"):  # images by their names, which is all that is seen
        (tmp_path / "images" / name).mkdir(parents=True)
        for number in range(20):
            (tmp_path / "images" / name / f"{number}.jpg").write_bytes(b"none")
    data = ["dataset=folder", f"dataset.path={tmp_path / 'images'}"]
    command = sweep("seed=0,1", *data)
    assert command.finish().returncode == 1
    kept = sweep("seed=0,1", *data, "sweep.retry_failed=false").finish()
    assert "seed=0: failed before, not run again." in kept.stdout
    again = command.finish()
    assert "failed before" not in again.stdout
    assert len(list(command.folder.glob("outputs/sweeps/*"))) == 1


@pytest.mark.slow
def test_job_that_is_killed_costs_no_other_and_continues_with_the_same_command(
    sweep: Callable[..., Command], tmp_path: Path
) -> None:
    command = sweep("seed=0,1,2", "hydra/launcher=joblib", "hydra.launcher.n_jobs=2")
    inject = str(Path(__file__).parent / "inject_trial")
    fault = "kill@os.rename@*seed_1-*/checkpoints/*manifest.json*@4@"
    done = command.finish(PYTHONPATH=inject, TRIAL_FAULTS=fault)
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    (line,) = [line for line in lines if line.startswith("job 2 of 3 failed (killed)")]
    assert line.endswith(": seed=1: its process ended by SIGKILL")
    assert "its process ended by SIGKILL" in done.stdout.partition("\n| ")[2]  # a table
    before = results(command)
    assert sorted(r["status"] for r in before.values()) == [
        "FAILED",
        "FINISHED",
        "FINISHED",
    ]
    (dead,) = [r for r in before.values() if r["status"] == "FAILED"]
    assert (dead["name"], dead["failure"]) == ("seed=1", "killed")
    again = command.finish()
    assert again.returncode == 0, again.stderr
    (log,) = tmp_path.glob("outputs/sweeps/*/seed_1-*/screen.log")
    assert "it continues after epoch" in log.read_text()
    after = results(command)
    assert [r["status"] for r in after.values()] == ["FINISHED"] * 3
    runs = {run["name"]: run for run in read_runs(command.folder)}
    assert len(runs) == 4
    assert {run["status"] for run in runs.values()} == {"FINISHED"}


@pytest.mark.slow
def test_job_that_is_stopped_is_ended_saves_its_state_and_continues(
    sweep: Callable[..., Command], tmp_path: Path
) -> None:
    launcher = ("hydra/launcher=joblib", "hydra.launcher.n_jobs=2")
    command = sweep("seed=0,1,2", *launcher, "sweep.silent_minutes=1")
    inject = str(Path(__file__).parent / "inject_trial")
    fault = "stop@os.rename@*seed_1-*/checkpoints/*manifest.json*@4@"
    done = command.finish(PYTHONPATH=inject, TRIAL_FAULTS=fault)
    assert done.returncode == 1
    (line,) = [line for line in done.stdout.splitlines() if "failed (timeout)" in line]
    assert line.startswith("job 2 of 3")
    reason = "took no step for longer than sweep.silent_minutes=1"
    assert line.endswith(f": seed=1: {reason}")
    before = {result["name"]: result for result in results(command).values()}
    assert (before["seed=0"]["status"], before["seed=2"]["status"]) == (
        "FINISHED",
        "FINISHED",
    )
    assert before["seed=1"]["status"] != "FINISHED"
    again = command.finish()
    assert again.returncode == 0, again.stderr
    (log,) = tmp_path.glob("outputs/sweeps/*/seed_1-*/screen.log")
    assert "it continues after epoch" in log.read_text()
    assert [r["status"] for r in results(command).values()] == ["FINISHED"] * 3


@pytest.mark.slow
def test_job_that_runs_is_not_started_twice(
    job: Callable[..., Command], tmp_path: Path
) -> None:
    command = job()
    process = command.start()
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("epoch  1/"):
            break
    done = command.finish()
    process.kill()
    process.communicate()
    assert done.returncode == 1
    assert f"is being worked on by process {process.pid} on " in done.stderr
    assert "Traceback" not in done.stderr
