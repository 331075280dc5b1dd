"""A sweep over folds that is killed goes on with the folds that are left."""

import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sklearn.datasets
import sklearn.metrics

from experiments import job_files
from experiments.evaluation.predictions import Predictions
from experiments.evaluation.table import read_predictions
from tests.faults.conftest import Command, read_runs

JOB = (
    "model=resnet",
    "model.depth=null",
    "model.blocks=[1]",
    "model.block=basic",
    "model.width=8",
    "dataset=digits",
    "optimizer.lr=1e-2",
    "schedule.warmup_epochs=0",
    "trainer.epochs=2",
    "trainer.batch_size=64",
    "trainer.progress=plain",
    "gpu=cpu",
)
FOLDS = 3


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A command that was killed while its second fold was trained, and typed again."""
    folder = tmp_path_factory.mktemp("folds")
    command = Command(folder, "-m", *JOB, f"dataset.folds={FOLDS}")
    process = command.start()
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("job 2 of 3"):
            break
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not list(folder.glob(f"outputs/sweeps/*/{job_files.PREDICTIONS}"))
    return command, command.finish()


@pytest.fixture(scope="module")
def table(killed: Any) -> Predictions:
    """The table of all folds."""
    command, _ = killed
    (path,) = command.folder.glob(f"outputs/sweeps/*/*/{job_files.OUT_OF_FOLD}")
    return read_predictions(path)


def test_finished_fold_is_not_trained_again(killed: Any) -> None:
    command, done = killed
    assert done.returncode == 0, done.stderr
    assert "dataset.fold=1: finished before, not run again." in done.stdout
    for number in (2, 3):
        assert f"dataset.fold={number}: finished before" not in done.stdout
    assert len(list(command.folder.glob("outputs/sweeps/*/*/result.json"))) == FOLDS


def test_folds_are_children_of_one_run_which_has_their_pooled_scores(
    killed: Any, table: Predictions
) -> None:
    runs = {run["name"]: run for run in read_runs(killed[0].folder)}
    parent = runs.pop(f"dataset.fold={','.join(map(str, range(1, FOLDS + 1)))}")
    assert sorted(runs) == [f"dataset.fold={n}" for n in range(1, FOLDS + 1)]
    parents = {run["tags"]["mlflow.parentRunId"] for run in runs.values()}
    assert len(parents) == 1
    accuracy = sklearn.metrics.accuracy_score(table.truth, table.predicted)
    points = parent["points"]["out_of_fold/accuracy"]
    assert points[-1][1] == pytest.approx(accuracy)
    description = parent["tags"]["mlflow.note.content"]
    assert f"accuracy {accuracy:.4f} over {len(table):,} images" in description
    assert "The best" not in description


def test_table_has_each_image_of_training_and_validation_once(
    table: Predictions,
) -> None:
    assert len(table) == len(set(table.samples)) == 1797 - 270
    raw = sklearn.datasets.load_digits()
    assert (raw.target[[int(name) for name in table.samples]] == table.truth).all()
    sizes = {name: list(table.split).count(name) for name in set(table.split)}
    assert sizes == {"fold 1": 509, "fold 2": 509, "fold 3": 509}


def test_table_holds_what_the_job_of_each_fold_has_left(
    killed: Any, table: Predictions
) -> None:
    for number in range(1, FOLDS + 1):
        (path,) = killed[0].folder.glob(
            f"outputs/sweeps/*/dataset.fold_{number}-*/predictions/test.parquet"
        )
        own = read_predictions(path)
        rows = np.array(table.split) == f"fold {number}"
        assert (table.outputs[rows] == own.outputs).all()
        job = table.facts["jobs"][f"fold {number}"]
        assert job["state_sha256"] == own.facts["state_sha256"]
        assert job["data_split"] == own.facts["data_split"]


def test_screen_shows_the_mean_and_the_pooled_accuracy(
    killed: Any, table: Predictions
) -> None:
    _, done = killed
    accuracy = (table.predicted == table.truth).mean()
    assert f"out of fold  accuracy {accuracy:.4f} over 1,527 images: " in done.stdout
    (row,) = [line for line in done.stdout.splitlines() if line.startswith("| 1 |")]
    assert row.startswith("| 1 | 3 | 0.")
    assert row.count(" ± ") == 3


def test_table_is_an_artifact_of_the_parent_run(killed: Any) -> None:
    (kept,) = Path(killed[0].folder).glob(
        f"outputs/artifacts/*/*/artifacts/predictions/{job_files.OUT_OF_FOLD}"
    )
    (own,) = Path(killed[0].folder).glob(f"outputs/sweeps/*/*/{job_files.OUT_OF_FOLD}")
    assert kept.read_bytes() == own.read_bytes()
