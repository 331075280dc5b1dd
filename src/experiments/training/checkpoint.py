"""The best and the last weights on disk, complete at every moment."""

import dataclasses
import math
from pathlib import Path
from typing import Any, Literal

import keras

from experiments.errors import ExperimentError
from experiments.training.manifest import (
    MANIFEST,
    Manifest,
    Record,
    commit_file,
    hash_file,
    read_manifest,
    write_manifest,
)

FOLDER = "checkpoints"


class Checkpoint(keras.callbacks.Callback):
    """Keeps the weights and optimizer state of the best and of the last epoch.

    A state is written under a new name and becomes valid when the manifest that names
    it replaces the old one, so that a crash at any moment leaves the previous states
    intact. An epoch that is both best and last is written once.

    Args:
        output_dir: Folder of the run; files go to `<output_dir>/checkpoints`.
        monitor: Metric that decides which epoch is best.
        mode: Whether a larger or a smaller value is better.
        every_epochs: How often the last state is saved; the best and the final one
            always are.
    """

    def __init__(
        self,
        *,
        output_dir: Path,
        monitor: str,
        mode: Literal["max", "min"],
        every_epochs: int = 1,
    ) -> None:
        super().__init__()
        self.folder = output_dir / FOLDER
        self._every_epochs = every_epochs
        self._manifest = Manifest(monitor=monitor, mode=mode)
        self._epoch = 0
        self._metrics: dict[str, float] = {}

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Creates the folder."""
        self.folder.mkdir(parents=True, exist_ok=True)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Saves the state if it is the best one or due."""
        self._epoch = epoch + 1
        self._metrics = {name: float(value) for name, value in (logs or {}).items()}
        is_best = self._is_best()
        is_due = self._epoch % self._every_epochs == 0
        if is_best or is_due:
            self._save(is_best=is_best)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Saves the final state if it was not due."""
        last = self._manifest.last
        if self._epoch and (last is None or last.epoch != self._epoch):
            self._save(is_best=False)

    def load_best(self, model: Any) -> Record:
        """Loads the best state into `model`; see `load_checkpoint`."""
        return load_checkpoint(self.folder, model, which="best")

    def _is_best(self) -> bool:
        name, best = self._manifest.monitor, self._manifest.best
        if name not in self._metrics:
            raise ExperimentError(
                "callbacks.checkpoint.monitor must be one of "
                f"{', '.join(sorted(self._metrics))}. Received: {name!r}."
            )
        value = self._metrics[name]
        if best is None or not math.isfinite(value):
            return math.isfinite(value)
        sign = 1.0 if self._manifest.mode == "max" else -1.0
        return sign * value > sign * best.metrics[name]

    def _save(self, *, is_best: bool) -> None:
        """Writes the weights, then commits them, always as the last state too."""
        record = self._write_weights()
        best = record if is_best else self._manifest.best
        self._manifest = dataclasses.replace(self._manifest, best=best, last=record)
        write_manifest(self.folder, self._manifest)
        self._remove_leftovers()

    def _write_weights(self) -> Record:
        path = self.folder / f"epoch-{self._epoch:04d}.weights.h5"
        temporary = path.with_name(f"unfinished-{path.name}")
        self.model.save_weights(temporary, overwrite=True)
        commit_file(temporary, path)
        return Record(
            epoch=self._epoch,
            file=path.name,
            sha256=hash_file(path),
            metrics=self._metrics,
        )

    def _remove_leftovers(self) -> None:
        records = (self._manifest.best, self._manifest.last)
        kept = {record.file for record in records if record is not None}
        for path in self.folder.glob("*.weights.h5"):
            if path.name not in kept:
                path.unlink()


def load_checkpoint(
    folder: Path, model: Any, *, which: Literal["best", "last"]
) -> Record:
    """Loads weights, and the optimizer state if `model` is compiled.

    Args:
        folder: The run's `checkpoints` folder.
        model: A model of the same layers.
        which: The best state, or the last one.

    Returns:
        What was loaded.

    Raises:
        ExperimentError: There is no such state, or its file is damaged.
    """
    record: Record | None = getattr(read_manifest(folder), which)
    if record is None:
        raise ExperimentError(
            f"{folder} holds no {which} state: no epoch gave a finite metric."
        )
    path = folder / record.file
    if not path.is_file() or hash_file(path) != record.sha256:
        raise ExperimentError(
            f"{path} must be there and have the hash that {MANIFEST} states. Received: "
            "a missing or changed file. Restore it, or train again."
        )
    optimizer = getattr(model, "optimizer", None)
    if optimizer is not None and not optimizer.built:
        # Keras would skip the optimizer's state with a mere warning.
        optimizer.build(model.trainable_variables)
    model.load_weights(path)
    return record
