"""Which epoch's weights a training leaves, and whose histories its pruners read."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from experiments import job_files
from experiments.config.kinds.destination import Destination
from experiments.config.kinds.objective import Objective
from experiments.fitting import record
from experiments.fitting.fitting import Fitting, read_rollbacks
from experiments.records import RecordError
from experiments.training.loop.fit import History
from tests.damage import WAYS

EPOCHS = [
    {"val_accuracy": 0.5, "val_loss": 0.5},
    {"val_accuracy": 0.9, "val_loss": 0.7},
    {"val_accuracy": 0.7, "val_loss": 0.3},
    {"val_accuracy": 0.95, "val_loss": 0.9},
]


class Keeper:
    """Keeps the weights of the best epoch by its own monitor, as a checkpoint does."""

    def __init__(self, monitor: str) -> None:
        self.objective = Objective(monitor, "auto")

    def load_best(self, model: Any) -> int:
        return History(EPOCHS).best_epoch(self.objective)


@pytest.fixture
def fitting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(record, "log_learning_curves", lambda *given: None)
    trainer = SimpleNamespace(
        objective=Objective("val_accuracy", "max"),
        monitor="val_accuracy",
        epochs=4,
        label_smoothing=0.0,
        phases=None,
    )
    optimizer = SimpleNamespace(lr=0.1)
    off = Destination(output_dir=tmp_path, enabled=False)
    loss = SimpleNamespace(_target_="FocalLoss", class_weight=None)
    run = SimpleNamespace(
        trainer=trainer,
        model=None,
        optimizer=optimizer,
        dataset=SimpleNamespace(has_weights=False),
        loss=loss,
        destination=lambda: off,
    )
    job: Any = SimpleNamespace(
        run=run, sweep_dir=tmp_path / "sweep", output_dir=tmp_path / "job"
    )
    nothing: Any = None
    return Fitting(
        job=job, dataset=nothing, pipelines=nothing, devices=nothing, tracker=nothing
    )


@pytest.mark.parametrize(("monitor", "epoch"), [("val_accuracy", 4), ("val_loss", 3)])
def test_the_best_epoch_is_the_one_whose_weights_were_kept(
    fitting: Any, monitor: str, epoch: int
) -> None:
    callbacks = {"checkpoint": Keeper(monitor)}
    fitted = fitting._keep_best(None, callbacks, History(EPOCHS))
    assert fitted.metrics["best_epoch"] == epoch
    assert fitted.metrics["best_val_loss"] == EPOCHS[epoch - 1]["val_loss"]


def test_without_kept_weights_the_last_epoch_counts(fitting: Any) -> None:
    fitted = fitting._keep_best(None, {}, History(EPOCHS))
    assert fitted.metrics["best_epoch"] == 4


def test_a_pruner_reads_the_metric_that_it_monitors(fitting: Any) -> None:
    read = fitting._siblings()
    assert read("val_loss")._metric == "val_loss"


@pytest.mark.timeout(20)
@pytest.mark.parametrize("way", WAYS)
def test_damaged_number_of_rollbacks_is_named_with_what_to_do(
    way: str, tmp_path: Path
) -> None:
    folder = tmp_path / "job"
    folder.mkdir()
    (folder / job_files.ROLLBACKS).write_text('{"count": 2}')
    assert read_rollbacks(folder) == 2
    WAYS[way](folder / job_files.ROLLBACKS)

    with pytest.raises(RecordError, match=r"rollbacks.json is damaged: .*fresh=true"):
        read_rollbacks(folder)
