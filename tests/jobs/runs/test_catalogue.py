"""What the folder of runs says of each, without a tracker or a framework."""

import sys
from pathlib import Path

import pytest

from experiments.config.kinds.destination import Destination
from experiments.config.kinds.objective import Objective
from experiments.jobs.folder import claim_folder
from experiments.jobs.job import JobResult
from experiments.jobs.runs.catalogue import (
    find_job_folders,
    list_runs,
    measure,
    read_run,
)
from experiments.jobs.runs.run_names import find_named
from experiments.records import write_record
from experiments.tracking.store.runs.run_names import Wanted
from tests.jobs.left import leave_parent, leave_run, session, write_journal


@pytest.mark.parametrize(
    ("left", "state"),
    [
        ({}, "finished"),
        ({"end": "pruned"}, "finished"),
        ({"end": "paused"}, "paused"),
        ({"status": "FAILED"}, "failed"),
        ({"status": "KILLED"}, "to_continue"),
        ({"status": None}, "to_continue"),
    ],
)
def test_state_is_what_the_job_left(left: dict[str, str], state: str, tmp_path: Path):
    leave_run(tmp_path / "runs" / "a", **left)
    (run,) = list_runs(tmp_path)
    score = None if left == {"status": None} else 0.5
    assert (run.state, run.name, run.score) == (state, "a run", score)


def test_job_without_a_checkpoint_was_killed(tmp_path: Path):
    job = tmp_path / "runs" / "a"
    leave_run(job, status=None)
    (job / "checkpoints" / "manifest.json").unlink()
    assert [run.state for run in list_runs(tmp_path)] == ["killed"]


def test_job_that_is_held_runs(tmp_path: Path):
    job = tmp_path / "runs" / "a"
    leave_run(job, status=None)
    with claim_folder(job):
        assert [run.state for run in list_runs(tmp_path)] == ["running"]


def test_latest_run_is_first_with_all_that_is_known_of_it(tmp_path: Path):
    first = leave_run(tmp_path / "runs" / "a", model="resnet18", dataset="digits")
    leave_run(tmp_path / "sweeps" / "s" / "b", name="second", experiment="other")
    second, known = list_runs(tmp_path)
    assert (second.name, second.experiment) == ("second", "other")
    assert (known.run_id, known.choice("model")) == (first, "resnet18")
    assert (known.monitor, known.score, known.kind) == ("val_accuracy", 0.5, "run")
    assert known.begun == pytest.approx(1.7e9, abs=1e6)


@pytest.mark.parametrize("written", ["best_train_loss", "best_loss"])  # until format 3
def test_run_that_was_judged_by_its_training_is_known_by_that(
    written: str, tmp_path: Path
):
    job = tmp_path / "runs" / "a"
    leave_run(job)
    metrics = {written: 0.25, "best_val_loss": 0.5, "best_epoch": 2}
    JobResult(
        name="a run",
        status="FINISHED",
        objective=0.25,
        metrics=metrics,
        output_dir=str(job),
    ).save()
    (run,) = list_runs(tmp_path)
    assert (run.monitor, run.score) == ("loss", 0.25)
    place = Destination(output_dir=tmp_path, experiment="default", enabled=False)
    smallest = Wanted(objective=Objective("loss", "min"))
    assert find_named("best", place, smallest).folder == job


def test_sweep_has_the_state_and_the_best_value_of_its_record(tmp_path: Path):
    leave_parent(tmp_path / "sweeps" / "s", "sweep")
    leave_parent(tmp_path / "sweeps" / "t", "search")
    leave_parent(tmp_path / "sweeps" / "t" / "trials" / "trial-0000", "trial")
    found = {(run.kind, run.state, run.score) for run in list_runs(tmp_path)}
    assert found == {(k, "finished", 0.75) for k in ("sweep", "search", "trial")}


def test_job_without_a_tracker_is_known_by_what_hydra_wrote(tmp_path: Path):
    job = tmp_path / "runs" / "a"
    leave_run(job, tracked=False)
    (job / ".hydra").mkdir()
    text = "hydra:\n  runtime:\n    cwd: /x\n    choices:\n      model: plain20_cifar\n"
    (job / ".hydra" / "hydra.yaml").write_text(text + "      tracking: 'off'\n")
    (run,) = list_runs(tmp_path)
    assert (run.run_id, run.choice("model"), run.score) == (None, "plain20_cifar", 0.5)
    (job / ".hydra" / "hydra.yaml").write_text(text + "      task: sync\n")
    assert list_runs(tmp_path) == []  # the folder of a command is no run


def test_id_of_before_is_known_too(tmp_path: Path):
    run_id = leave_run(tmp_path / "runs" / "a")
    record = {"runs": {"embedded": run_id}, "former": ["e" * 32]}
    write_record(tmp_path / "runs" / "a" / "tracking" / "run.json", record)
    assert list_runs(tmp_path)[0].run_ids == (run_id, "e" * 32)


def test_journal_that_says_nothing_is_told_and_hides_no_other(tmp_path: Path):
    leave_run(tmp_path / "runs" / "a")
    leave_run(tmp_path / "runs" / "b")
    (tmp_path / "runs" / "a" / "tracking" / "journal.jsonl").write_text("{}\n")
    found = {run.folder.name: run.state for run in list_runs(tmp_path)}
    assert found == {"a": "unreadable", "b": "finished"}


def test_name_of_a_record_moves_no_cursor(tmp_path: Path):
    opening = session("\x1b[31mred", "default", {"choice.model": "\x1b]0;x\x07"})
    write_journal(tmp_path / "runs" / "a", ("session", opening))
    run = read_run(tmp_path / "runs" / "a", tmp_path)
    assert run is not None
    assert "\x1b" not in run.name + str(run.tags)


def test_links_are_not_followed(tmp_path: Path):
    outside = tmp_path / "outside" / "runs" / "a"
    leave_run(outside)
    inside = tmp_path / "out"
    (inside / "runs").mkdir(parents=True)
    (inside / "runs" / "a").symlink_to(outside)
    assert list(find_job_folders(inside)) == []


def test_size_counts_each_file_once_and_links_as_links(tmp_path: Path):
    sweep = tmp_path / "sweeps" / "s"
    leave_parent(sweep, "sweep")
    leave_run(sweep / "a")
    job, parent = measure(sweep / "a"), measure(sweep)
    files = [path for path in sweep.rglob("*") if path.is_file()]
    assert job + parent == sum(path.stat().st_size for path in files)
    (sweep / "big").symlink_to(sys.executable)
    assert measure(sweep) - parent == len(sys.executable)
