"""Runs as trainings leave them, without a training."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from experiments.config.kinds.objective import Objective
from experiments.evaluation.predictions import Predictions
from experiments.evaluation.table import write_predictions
from experiments.jobs.job import JobResult
from experiments.records import write_header, write_record
from tests.evaluation.made import make
from tests.jobs.left import leave_parent, leave_run, write_journal

ACCURACY = Objective("val_accuracy", "max")
SETTINGS = {
    "optimizer.lr": "0.001",
    "model.blocks": "null",
    "trainer.monitor": "val_accuracy",
    "trainer.monitor_mode": "max",
    "seed": "0",
    "name": "null",
    "gpu": "auto",
}


def of_right(right: Sequence[bool] | np.ndarray[Any, Any]) -> Predictions:
    """Returns predictions of two classes that are right where that is true."""
    rows = np.asarray(right, bool)[:, None]
    return make(np.where(rows, [2.0, 0.0], [0.0, 2.0]), [0] * len(rows))


def leave(
    folder: Path,
    score: float | None,
    *,
    settings: Mapping[str, str] | None = None,
    right: Sequence[bool] | np.ndarray[Any, Any] | None = None,
    predictions: Predictions | None = None,
    epochs: int = 3,
    name: str | None = None,
    origin: Mapping[str, Any] | None = None,
    data: str | None = None,
    **more: Any,
) -> str:
    """Leaves a run with settings, curves and predictions; returns its id.

    Args:
        folder: Of the job.
        score: Its best `val_accuracy`, and half of it of the test.
        settings: Beside the usual ones.
        right: Which test images it gets right.
        predictions: What it says of them otherwise.
        epochs: How many it has.
        name: Of the run; that of its folder by default.
        origin: Its code and data.
        data: Where the predictions are of an evaluation on other data.
        more: As `leave_run` takes it.
    """
    run_id = leave_run(folder, name=name or folder.name, score=score, **more)
    if more.get("tracked", True):
        params = {**SETTINGS, **(settings or {})}
        write_journal(folder, ("params", {"values": params}))
        leave_config(folder, params)
        tags = {"derived.parameters": "1234"}
        write_journal(folder, ("tags", {"values": tags}))
        for epoch in range(1, epochs + 1):
            values = {
                "loss": 1.0 / epoch,
                "accuracy": 0.1 * epoch,
                "val_loss": 1.1 / epoch,
                "val_accuracy": 0.09 * epoch,
                "epoch_seconds": 2.0,
                "images_per_second": 100.0 * epoch,
            }
            write_journal(folder, ("metrics", {"step": epoch, "values": values}))
    if score is not None:
        result = JobResult.load(folder)
        assert result is not None
        metrics = {"best_val_accuracy": score, "test_accuracy": score / 2}
        JobResult(
            name=result.name,
            status=result.status,
            objective=score,
            metrics=metrics,
            run_id=result.run_id,
            output_dir=str(folder),
            epochs=epochs,
        ).save()
    if origin is not None:
        write_record(folder / "origin.json", origin)
    table = predictions if right is None else of_right(right)
    if table is not None:
        place = folder / "predictions" / "test.parquet"
        if data is not None:
            place = folder / "evaluation" / data / "predictions.parquet"
        place.parent.mkdir(parents=True)
        write_predictions(place, table)
    return run_id


def leave_config(folder: Path, leaves: Mapping[str, str]) -> None:
    """Leaves the resolved config of a run, with what follows from its settings."""
    config: dict[str, Any] = {"tags": {}, "trainer": {}}
    leaves = {**leaves, "schedule.lr": leaves["optimizer.lr"]}
    for key, value in leaves.items():
        *groups, name = key.split(".")
        node = config
        for group in groups:
            node = node.setdefault(group, {})
        node[name] = value
    path = folder / "tracking" / "artifacts" / "config" / "config.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(write_header() + yaml.safe_dump(config))


def leave_sweep(folder: Path, kind: str = "sweep") -> None:
    """Leaves the parent of what is left below its folder."""
    leave_parent(folder, kind)


def share(count: int, total: int = 100) -> np.ndarray[Any, Any]:
    """Returns a run's images of which the first ones are right."""
    return np.arange(total) < count
