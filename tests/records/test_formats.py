"""Results of earlier formats: read, found, continued and repeated by this one."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.records.archive import (
    FINISHED,
    HERE,
    KILLED,
    PAUSED,
    SEARCH,
    STOPPED,
    SWEEP,
    find_job,
    find_sweep,
    outputs,
    read_result,
)

__all__ = ["outputs"]
FOLDERS = json.loads((HERE / "folders_1.json").read_text())


def find_parent(outputs: Path) -> str:
    """Returns the id of the search's parent run."""
    runs = find_sweep(outputs, "search") / "tracking" / "run.json"
    (run_id,) = json.loads(runs.read_text())["runs"].values()
    return str(run_id)


def read_status(outputs: Path, run_id: str) -> str:
    """Returns the status that MLflow has of a run."""
    with closing(sqlite3.connect(outputs / "mlflow.db")) as database:
        query = "SELECT status FROM runs WHERE run_uuid = ?"
        ((status,),) = database.execute(query, (run_id,))
    return str(status)


# What became another job on purpose: `debug=overfit` ends when it has learnt, and fails
# when it has not.
OTHERS = {"debug=overfit"}


def test_every_job_has_the_folder_that_it_had(check: Any) -> None:
    found = {}
    kept = {typed: names for typed, names in FOLDERS.items() if typed not in OTHERS}
    for typed in kept:
        words = [] if not typed else split_words(typed)
        plan = check(*(w for w in words if w != "-m"), multirun="-m" in words)
        found[typed] = [plan.folder.name, *plan.job_folders]
    assert found == kept


def split_words(typed: str) -> list[str]:
    """Returns the words of a command line; a blank in braces is part of one."""
    words: list[str] = []
    for part in typed.split(" "):
        inside = bool(words) and words[-1].count("{") > words[-1].count("}")
        words[-1:] = [f"{words[-1]} {part}"] if inside else [*words[-1:], part]
    return words


def test_every_record_is_read(outputs: Path) -> None:

    from experiments import job_files
    from experiments.fitting.fitting import read_rollbacks
    from experiments.jobs.job import JobResult
    from experiments.jobs.made_from.origin import read_origin
    from experiments.search.trials.journal import read_trials
    from experiments.tracking.spool.journal import DAMAGED, read_entries
    from experiments.tracking.spool.spool import Spool
    from experiments.training.checkpoints.store import load_best, load_last

    finished = find_job(outputs, "finished")
    result = JobResult.load(finished)
    assert result is not None
    assert (result.status, result.epochs, result.end) == ("FINISHED", 2, "complete")
    assert len(load_best(finished / "checkpoints").history) in (1, 2)
    spool = Spool(finished, outputs)
    entries = read_entries(spool.journal)
    assert spool.read_sent(result.run_id) == len(entries)
    assert DAMAGED not in {entry.kind for entry in entries}
    assert (read_origin(finished) or {}).keys() == {"code", "packages", "data"}
    pictures = read_origin(find_job(outputs, "pictures")) or {}
    assert set(pictures["files"]["folders"]) == {"dark", "light"}
    stopped = load_last(find_job(outputs, "stopped") / "checkpoints")
    assert stopped is not None
    assert (stopped.position.epoch, stopped.position.step) == (1, 1)
    assert read_rollbacks(find_job(outputs, "failed")) == 1
    trials = read_trials(find_sweep(outputs, "search") / job_files.SEARCH)
    assert [trial.state for trial in trials] == ["complete"] * 3


def test_finished_run_is_found(run_command: Any, outputs: Path) -> None:
    job = find_job(outputs, "finished")
    before = (job / "result.json").read_bytes()
    done = run_command(*FINISHED)
    assert done.returncode == 0, done.stderr
    assert "finished: finished before, not run again." in done.stdout
    assert (job / "result.json").read_bytes() == before


def test_finished_sweep_is_found(run_command: Any, outputs: Path) -> None:
    done = run_command(*SWEEP)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("finished before, not run again.") == 2
    assert len(list((outputs / "sweeps").iterdir())) == 2


def test_best_trial_that_was_trained_is_found(run_command: Any, outputs: Path) -> None:
    parent = find_parent(outputs)
    words = ("name=best", "task=train", "trainer.epochs=2", "gpu=cpu")
    done = run_command(*words, f"from_search={parent}")
    assert done.returncode == 0, done.stderr
    assert "finished before, not run again." in done.stdout


@pytest.mark.parametrize(
    ("name", "words", "epochs"),
    [
        ("stopped", STOPPED, 3),
        pytest.param("killed", KILLED, None, marks=pytest.mark.slow),
        pytest.param("paused", PAUSED, 3, marks=pytest.mark.slow),
    ],
)
def test_run_that_did_not_end_is_continued(
    run_command: Any, outputs: Path, name: str, words: tuple[str, ...], epochs: int
) -> None:
    job = find_job(outputs, name)
    known = job / "tracking" / "run.json"  # one was killed before MLflow knew it
    runs = json.loads(known.read_text())["runs"] if known.exists() else None
    done = run_command(*words)
    assert done.returncode == 0, done.stderr
    assert "it continues after" in done.stdout
    result = read_result(find_job(outputs, name))
    assert result["status"] == "FINISHED"
    assert epochs in (None, result["epochs"])
    assert runs is None or list(runs.values()) == [result["run_id"]]
    assert read_status(outputs, result["run_id"]) == "FINISHED"


@pytest.mark.slow
def test_best_trial_is_trained_with_changes(run_command: Any, outputs: Path) -> None:
    words = ("task=train", "trainer.epochs=3", "optimizer=sgd", "gpu=cpu")
    parent = find_parent(outputs)
    done = run_command(*words, f"from_search={parent}")
    assert done.returncode == 0, done.stderr
    result = read_result(find_job(outputs, f"best_of_{parent[:8]}"))
    assert (result["status"], result["epochs"]) == ("FINISHED", 3)


def test_search_goes_on_with_its_trials(run_command: Any, outputs: Path) -> None:
    done = run_command(*SEARCH, "hydra.sweeper.max_trials=4")
    assert done.returncode == 0, done.stderr
    assert "trial 3 runs" in done.stdout
    assert "trial 2 runs" not in done.stdout
    assert len(list((outputs / "sweeps").iterdir())) == 2


def test_run_is_reproduced(run_command: Any, outputs: Path) -> None:
    run_id = read_result(find_job(outputs, "finished"))["run_id"]
    # Another processor adds up in another order.
    words = ("task=reproduce", f"run_id={run_id}", "gpu=cpu", "task.tolerance=1e-3")
    done = run_command(*words)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Reproduced within 0.001: 7 metrics are equal." in done.stdout


def test_what_a_run_lacks_is_sent(run_command: Any, outputs: Path) -> None:
    done = run_command("task=sync")
    assert done.returncode == 0, done.stdout + done.stderr
    # What was killed lacks something in one of them; all that is there has gone.
    rows = [row.split() for row in done.stdout.splitlines()[1:]]
    assert "is sent." in done.stdout or {row[2] for row in rows} == {"0"}


def test_models_are_loaded(outputs: Path) -> None:
    import keras
    import numpy as np

    files = list(outputs.glob("artifacts/*/models/*/artifacts/data/model.keras"))
    assert len(files) == 3
    for file in files:
        model = keras.models.load_model(file)
        scores = model.predict(np.zeros((2, *model.input_shape[1:])), verbose=0)
        assert scores.shape == (2, 10)
