"""Records of a later release: refused in a sentence before anything is touched."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from experiments import __version__
from experiments.records import FORMAT, NewerRecordError
from tests.records.archive import (
    FINISHED,
    SEARCH,
    SWEEP,
    find_job,
    find_sweep,
    last_outputs,
    read_result,
)

__all__ = ["last_outputs"]
SENTENCE = (
    f"was written by experiments 9.9 in format 99; this is {__version__}, which reads "
    f"up to {FORMAT}. Nothing was changed. Install that release."
)


def age_file(path: Path) -> None:
    """Makes a record one of a later release, which may know more keys."""
    if path.suffix == ".jsonl":
        path.write_text("\n".join(map(age_text, path.read_text().splitlines())) + "\n")
    else:
        path.write_text(age_text(path.read_text()))


def age_text(text: str) -> str:
    content = json.loads(text)
    known = {"keys": content} if isinstance(content, list) else content
    known = {k: v for k, v in known.items() if k not in ("format", "release")}
    return json.dumps({"format": 99, "release": "9.9", **known, "more": [1]})


def read_all(folder: Path) -> dict[Path, bytes]:
    """Returns every file and its content, without locks."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path: path.read_bytes() for path in files if path.suffix != ".lock"}


@pytest.mark.parametrize(
    "name",
    [
        "result.json",
        "origin.json",
        "checkpoints/manifest.json",
        "tracking/journal.jsonl",
        "tracking/run.json",
        "tracking/sent.json",
        "tracking/models.json",
        "rollbacks.json",
        "accumulate.json",
    ],
)
def test_job_of_a_later_release_is_left_alone(
    run_command: Any, last_outputs: Path, name: str
) -> None:
    job = find_job(last_outputs, "finished")
    if not (job / name).exists():  # those that only some jobs have
        (job / name).write_text('{"count": 1}')
    age_file(job / name)
    before = read_all(last_outputs)
    done = run_command(*FINISHED)
    assert done.returncode == 1
    assert done.stderr == f"outputs/runs/{job.name}/{name} {SENTENCE}\n" or (
        done.stderr == f"{job / name} {SENTENCE}\n"
    )
    assert done.stdout == ""
    assert read_all(last_outputs) == before


@pytest.mark.parametrize("name", ["search/trials.jsonl", "search/order.json"])
def test_search_of_a_later_release_is_left_alone(
    run_command: Any, last_outputs: Path, name: str
) -> None:
    file = find_sweep(last_outputs, "search") / name
    age_file(file)
    before = read_all(last_outputs)
    done = run_command(*SEARCH, "hydra.sweeper.max_trials=4")
    assert done.returncode == 1
    assert f"{name} {SENTENCE}" in done.stderr
    assert read_all(last_outputs) == before


def test_sweep_with_one_job_of_a_later_release_is_left_alone(
    run_command: Any, last_outputs: Path
) -> None:
    (*_, job) = sorted(find_sweep(last_outputs, "sweep").glob("*/result.json"))
    age_file(job)
    before = read_all(last_outputs)
    done = run_command(*SWEEP)
    assert done.returncode == 1
    assert SENTENCE in done.stderr
    assert read_all(last_outputs) == before


def test_folder_of_a_later_release_does_not_keep_others_from_being_sent(
    run_command: Any, last_outputs: Path
) -> None:
    newer, other = find_job(last_outputs, "finished"), find_job(last_outputs, "stopped")
    age_file(newer / "result.json")
    (other / "tracking" / "sent.json").unlink()
    before = read_all(newer)
    done = run_command("task=sync")
    assert done.returncode == 1  # one folder could not be looked at
    assert SENTENCE in done.stdout
    row = rf"^runs/{other.name} +\d+ +0$"
    assert re.search(row, done.stdout, re.MULTILINE)
    assert read_all(newer) == before


def test_run_that_a_later_release_recorded_is_not_reproduced(
    run_command: Any, last_outputs: Path
) -> None:
    run_id = read_result(find_job(last_outputs, "finished"))["run_id"]
    (config,) = last_outputs.glob(f"artifacts/*/{run_id}/artifacts/config/config.yaml")
    config.write_text("# experiments 9.9, format 99\n" + config.read_text())
    done = run_command("task=reproduce", f"run_id={run_id}", "gpu=cpu")
    assert done.returncode == 1
    assert f"config/config.yaml of the run {run_id} {SENTENCE}" in done.stderr


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Lets this process write as a later release would."""
    with monkeypatch.context() as patch:
        patch.setattr("experiments.records.FORMAT", 99)
        patch.setattr("experiments.records.__version__", "9.9")
        yield patch


def test_checkpoint_of_a_later_release_is_neither_damaged_nor_left_over(
    last_outputs: Path, later: pytest.MonkeyPatch
) -> None:
    from experiments.config.kinds.objective import Objective
    from experiments.training.checkpoints.state_file import write_state
    from experiments.training.checkpoints.store import CheckpointStore, load_last

    folder = find_job(last_outputs, "stopped") / "checkpoints"
    state = load_last(folder)
    assert state is not None
    name, _ = write_state(folder, state)
    later.undo()
    (folder / "manifest.json").unlink()
    for path in folder.glob("epoch-*"):
        if path.name != name:
            path.unlink()
    before = read_all(folder)
    with pytest.raises(NewerRecordError, match="in format 99"):
        load_last(folder)
    with pytest.raises(NewerRecordError, match="in format 99"):
        CheckpointStore(folder, Objective("val_loss", "min"), keep=1)
    assert read_all(folder) == before


def test_refusal_comes_back_from_a_worker_as_it_was_raised() -> None:
    import pickle

    error = NewerRecordError(Path("a/result.json"), 99, "9.9")
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == str(error) == f"a/result.json {SENTENCE}"


def test_copy_of_what_a_later_release_left_is_no_reason_to_refuse_another_job(
    run_command: Any, last_outputs: Path
) -> None:
    job = find_job(last_outputs, "finished")
    shutil.copytree(job, job.with_name("elsewhere"))
    age_file(job.with_name("elsewhere") / "tracking" / "run.json")
    done = run_command(*FINISHED)
    assert done.returncode == 0, done.stderr
