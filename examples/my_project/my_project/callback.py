"""Watches how much better the network does on what it has seen."""

from typing import Any

import keras


class TrainingGap(keras.callbacks.Callback):
    """Adds a metric: how far a measure of training and validation lie apart.

    What a callback adds to `logs` is recorded for each epoch, and may be named by
    `trainer.monitor`.

    Args:
        metric: Such as `accuracy`; a key of `conf/callbacks/training_gap.yaml`.
    """

    def __init__(self, *, metric: str) -> None:
        super().__init__()
        self._metric = metric

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Compares what both have measured in this epoch."""
        if logs is not None and f"val_{self._metric}" in logs:
            gap = logs[self._metric] - logs[f"val_{self._metric}"]
            logs[f"{self._metric}_gap"] = gap
