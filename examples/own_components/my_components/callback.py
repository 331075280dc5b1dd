"""Watches the size of the weights."""

import csv
from pathlib import Path
from typing import Any

import keras


class WeightNorms(keras.callbacks.Callback):
    """Adds the metric `weight_norm` and writes the norm of every kernel to a table.

    What a callback adds to `logs` is a metric like any other: it is recorded for each
    epoch and may be named by `trainer.monitor`.

    Args:
        output_dir: Folder of the run. It is in no config file: a callback whose
            constructor has an argument of this name is given it.
        file_name: Name of the table in that folder.
    """

    def __init__(self, *, output_dir: Path, file_name: str) -> None:
        super().__init__()
        self._path = output_dir / file_name

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Measures the kernels, which is done once an epoch: they are on a device."""
        norms = {
            weight.path: float(keras.ops.norm(keras.ops.ravel(weight)))
            for weight in self.model.trainable_variables
            if len(weight.shape) > 1
        }
        if logs is not None:
            logs["weight_norm"] = sum(norm**2 for norm in norms.values()) ** 0.5
        with self._path.open("a", newline="", encoding="utf-8") as file:
            rows = csv.writer(file)
            if epoch == 0:
                rows.writerow(["epoch", *norms])
            rows.writerow([epoch + 1, *norms.values()])
