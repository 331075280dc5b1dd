"""What `task=clean` would remove, what it removes, and what it never touches."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from experiments.api.run import load_run
from experiments.config.kinds.destination import Destination
from experiments.errors import ExperimentError
from experiments.jobs.folder import claim_folder
from experiments.jobs.job import JobResult
from experiments.search.trials.journal import (
    ASKED,
    TOLD,
    format_answer,
    format_question,
)
from experiments.search.trials.trial import Outcome, Proposal, Trial
from experiments.tasks.clean import clean
from experiments.tracking.spool.journal import Journal
from tests.jobs.left import leave_parent, leave_run

OPTIONS = {
    "dry": True,
    "weights": True,
    "keep_top": 1,
    "last_copies": False,
    "orphans": True,
    "orphan_hours": 1.0,
}


@pytest.fixture
def run_task(tmp_path: Path) -> Callable[..., Any]:
    """Runs the task on `out` with some of its options changed."""

    def run_task(**changed: Any) -> Any:
        task = SimpleNamespace(arguments=lambda: {**OPTIONS, **changed})
        place = Destination(output_dir=tmp_path / "out", experiment="default")
        run = SimpleNamespace(task=task, destination=lambda: place)
        words = ("task=clean", "task.keep_top=1")
        job = SimpleNamespace(run=run, name="clean", overrides=words, output_dir="x")
        return clean(job)  # type: ignore[arg-type]

    return run_task


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def list_kept(out: Path) -> set[str]:
    """The jobs that have checkpoints."""
    return {path.parent.name for path in out.rglob("checkpoints")}


def list_files(out: Path) -> list[tuple[str, float]]:
    return sorted((str(p), p.lstat().st_mtime) for p in out.rglob("*") if p.is_file())


def age(*places: Path) -> None:
    """Makes files look as if they had been left a day ago."""
    then = time.time() - 86_400
    for place in places:
        os.utime(place, (then, then), follow_symlinks=False)


def leave_search(folder: Path, values: dict[str, list[float]]) -> None:
    """Leaves a search whose trials have a job a seed; the search keeps their mean."""
    leave_parent(folder, "search", **{"search.objective": "val_accuracy (max)"})
    journal = Journal(folder / "search" / "trials.jsonl")
    for number, (name, seeds) in enumerate(values.items()):
        jobs = [folder / f"{name}{seed}" for seed in range(len(seeds))]
        for job, value in zip(jobs, seeds, strict=True):
            leave_run(job, score=value)
        outcome = Outcome(
            end="complete",
            objective=sum(seeds) / len(seeds),
            repeats=seeds,
            folders=tuple(map(str, jobs)),
        )
        trial = Trial(proposal=Proposal(number=number, values={"name": name}))
        journal.append(ASKED, format_question(trial))
        journal.append(TOLD, format_answer(number, outcome, folder))
    journal.close()


def test_nothing_is_removed_unless_it_is_asked_for(
    run_task: Any, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    leave_run(out / "runs" / "a", stored="sent")
    before = list_files(out)
    size = sum(p.stat().st_size for p in (out / "runs/a/checkpoints").iterdir())
    result = run_task()
    assert list_files(out) == before
    assert result.metrics == {"bytes": size, "items": 1.0}
    shown = capsys.readouterr().out
    assert "checkpoints  runs/a\n" in shown
    assert "nothing was removed" in shown
    assert "task=clean task.dry=false task.keep_top=1 output_dir=" in shown


def test_finished_run_is_what_it_was_but_for_its_checkpoints(
    run_task: Any, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    job = out / "runs" / "a"
    leave_run(job, stored="sent")
    before = JobResult.load(job)
    assert run_task(dry=False).status == "FINISHED"
    assert list_kept(out) == set()
    assert JobResult.load(job) == before
    assert "kB in" in capsys.readouterr().out
    assert run_task().metrics["items"] == 0
    assert "Nothing in" in capsys.readouterr().out


@pytest.mark.parametrize(
    "left",
    [
        {"status": "FAILED"},
        {"status": "KILLED"},
        {"status": None},
        {"end": "paused"},
    ],
)
def test_job_that_may_go_on_keeps_its_checkpoints(
    left: Any, run_task: Any, out: Path
) -> None:
    leave_run(out / "runs" / "a", stored="sent", **left)
    run_task(dry=False, last_copies=True)
    assert list_kept(out) == {"a"}


@pytest.mark.parametrize("model", [None, "unsent"])
def test_weights_that_nothing_else_has_go_only_when_it_is_said(
    model: Any, run_task: Any, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    leave_run(out / "runs" / "a", stored=model)
    (out / "runs" / "a" / "tracking" / "models").mkdir()
    run_task(dry=False)
    assert list_kept(out) == {"a"}
    assert "1 run whose weights nothing else has" in capsys.readouterr().out
    run_task(dry=False, last_copies=True)
    assert list_kept(out) == set()
    assert (out / "runs" / "a" / "tracking" / "models").is_dir()


def test_best_jobs_of_a_sweep_keep_theirs(run_task: Any, out: Path) -> None:
    sweep = out / "sweeps" / "s"
    leave_parent(sweep, "sweep")
    for name, score in {"a": 0.5, "b": 0.9, "c": 0.7}.items():
        leave_run(sweep / name, score=score)
    run_task(dry=False, keep_top=2)
    assert list_kept(out) == {"b", "c"}


def test_best_trial_of_a_search_keeps_all_of_its_seeds(
    run_task: Any, out: Path
) -> None:
    leave_search(out / "sweeps" / "s", {"lucky": [0.9, 0.5], "good": [0.7, 0.8]})
    run_task(dry=False)
    assert list_kept(out) == {"good0", "good1"}


def test_search_that_cannot_be_read_keeps_everything(
    run_task: Any, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    leave_search(out / "sweeps" / "s", {"a": [0.9], "b": [0.5]})
    (out / "sweeps" / "s" / "search" / "trials.jsonl").write_text("{}\n")
    run_task(dry=False)
    assert list_kept(out) == {"a0", "b0"}
    assert "Left alone: " in capsys.readouterr().out


def test_sweep_that_runs_is_left_alone(run_task: Any, out: Path) -> None:
    sweep = out / "sweeps" / "s"
    leave_parent(sweep, "sweep")
    leave_run(sweep / "a")
    leave_run(sweep / "b", score=0.1)
    (sweep / "b" / "unfinished-result.json").touch()
    age(sweep / "b" / "unfinished-result.json")
    with claim_folder(sweep):
        run_task(dry=False)
    assert list_kept(out) == {"a", "b"}
    assert (sweep / "b" / "unfinished-result.json").exists()


def test_leftovers_and_folders_without_a_run_go(run_task: Any, out: Path) -> None:
    leave_run(out / "runs" / "a", status="FAILED")
    draft = out / "runs" / "a" / ".run.json.0123abcd.tmp"
    draft.write_text("x")
    empty = out / "runs" / "b"
    empty.mkdir()
    age(draft, empty)
    assert run_task(dry=False).metrics["items"] == 2
    assert not draft.exists()
    assert not empty.exists()
    assert (out / "runs" / "a" / "result.json").exists()


def test_output_folder_that_is_a_link_is_the_one_it_leads_to(
    run_task: Any, out: Path, tmp_path: Path
) -> None:
    leave_run(tmp_path / "disk" / "runs" / "a", stored="sent")
    out.symlink_to(tmp_path / "disk")
    run_task(dry=False)
    assert list_kept(tmp_path / "disk") == set()


def test_cleaned_run_says_where_its_checkpoints_went(run_task: Any, out: Path) -> None:
    leave_run(out / "runs" / "a", stored=None, tracked=False)
    hydra = out / "runs" / "a" / ".hydra"
    hydra.mkdir()
    (hydra / "config.yaml").write_text("tags: {}\ntrainer: {}\n")
    run_task(dry=False, last_copies=True)
    run = load_run(out / "runs" / "a")
    assert run.metrics["best_val_accuracy"] == 0.5
    with pytest.raises(ExperimentError, match="were removed by task=clean on 20"):
        run.model()
