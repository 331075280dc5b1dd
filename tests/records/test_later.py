"""What the next release makes of the results of the first one, and of this one."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.records.archive import (
    FINISHED,
    SEARCH,
    STOPPED,
    find_job,
    find_sweep,
    last_outputs,
    read_result,
)
from tests.records.later import NEXT, LaterRelease

__all__ = ["last_outputs"]
RENAMED = tuple(word.replace("model.dropout", "model.drop_rate") for word in SEARCH)


@pytest.fixture(scope="module")
def later(tmp_path_factory: pytest.TempPathFactory) -> LaterRelease:
    return LaterRelease(tmp_path_factory.mktemp("later"))


def list_changed(last_outputs: Path, run_id: str) -> list[str]:
    """Returns the keys that MLflow has another value of since the run began."""
    with closing(sqlite3.connect(last_outputs / "mlflow.db")) as database:
        query = "SELECT key FROM tags WHERE run_uuid = ? AND key LIKE 'changed.%'"
        return sorted(key for (key,) in database.execute(query, (run_id,)))


def test_finished_job_is_found(later: LaterRelease, last_outputs: Path) -> None:
    done = later.run(last_outputs.parent, *FINISHED)
    assert done.returncode == 0, done.stderr
    assert "finished before, not run again." in done.stdout


def test_another_value_of_a_new_key_is_another_job(
    later: LaterRelease, last_outputs: Path
) -> None:
    former = find_job(last_outputs, "finished").name
    assert later.name_folder(*FINISHED, "trainer.echo=false") == former
    assert later.name_folder(*FINISHED, "trainer.echo=true") != former


def test_former_names_are_told_with_the_present_ones(
    later: LaterRelease, tmp_path: Path
) -> None:
    done = later.run(tmp_path, "model.dropout=0.1")
    assert done.returncode == 2
    assert "model.dropout is not a key" in done.stderr
    assert "It is called model.drop_rate now." in done.stderr
    target = "schedule._target_=experiments.training.schedules.CosineSchedule"
    done = later.run(tmp_path, target)
    assert done.returncode == 2
    now = "experiments.training.rates.CosineSchedule"
    assert f"It has moved: write {now}." in done.stderr


def test_run_that_did_not_end_is_continued(
    later: LaterRelease, last_outputs: Path
) -> None:
    job = find_job(last_outputs, "stopped")
    done = later.run(last_outputs.parent, *STOPPED)
    assert done.returncode == 0, done.stderr
    assert "it continues after epoch 1 and 1 step" in done.stdout
    result = read_result(job)
    assert (result["format"], result["epochs"]) == (NEXT, 3)
    # Neither what was renamed nor what moved is a change of the run.
    changed = list_changed(last_outputs, result["run_id"])
    assert changed == ["changed.trainer.max_steps"]


@pytest.mark.parametrize("tracked", [True, False])
def test_run_is_loaded_with_the_keys_of_then_by_their_names_of_now(
    later: LaterRelease, last_outputs: Path, tracked: bool
) -> None:
    job = find_job(last_outputs, "finished")
    if not tracked:  # what Hydra left is all that there is
        shutil.rmtree(job / "tracking")
    drop_rate, echo, params = later.load_run(job)
    assert (drop_rate, echo) == (0.0, False)
    assert ("model.drop_rate" in params) is tracked
    assert "model.dropout" not in params


@pytest.mark.slow
def test_search_goes_on_with_its_trials(
    later: LaterRelease, last_outputs: Path
) -> None:
    folder = find_sweep(last_outputs, "search")
    done = later.run(last_outputs.parent, *RENAMED, "hydra.sweeper.max_trials=4")
    assert done.returncode == 0, done.stderr
    assert "trial 3 runs" in done.stdout
    assert "trial 2 runs" not in done.stdout
    assert find_sweep(last_outputs, "search") == folder


@pytest.mark.slow
def test_run_is_reproduced(later: LaterRelease, last_outputs: Path) -> None:
    run_id = read_result(find_job(last_outputs, "finished"))["run_id"]
    words = ("task=reproduce", f"run_id={run_id}", "gpu=cpu", "task.tolerance=1e-3")
    done = later.run(last_outputs.parent, *words)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Reproduced within 0.001: 7 metrics are equal." in done.stdout


@pytest.mark.slow
def test_what_it_leaves_is_refused_by_this_release(
    later: LaterRelease, last_outputs: Path, run_command: Any
) -> None:
    assert later.run(last_outputs.parent, *STOPPED).returncode == 0
    done = run_command(*STOPPED)
    assert done.returncode == 1
    assert f"in format {NEXT}; this is" in done.stderr
