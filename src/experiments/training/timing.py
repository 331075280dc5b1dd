"""How long an epoch takes, as metrics."""

import time
from typing import Any

import keras


class Timing(keras.callbacks.Callback):
    """Adds seconds and throughput of training, without validation, to each epoch.

    `epoch_seconds` runs from the epoch's start to its last step's end. The first step
    of a fit, in which the step is traced and compiled, is also given alone as
    `first_step_seconds` and left out of `images_per_second`.

    Args:
        batch_size: Images a step; a last, smaller batch counts as a full one.
    """

    async_safe = True  # each step writes its own entry, in any order and thread

    def __init__(self, *, batch_size: int) -> None:
        super().__init__()
        self._batch_size = batch_size
        self._is_first_epoch = True
        self._begin = 0.0
        self._ends: dict[int, float] = {}

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Forgets an earlier fit: a new one compiles anew."""
        self._is_first_epoch = True

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Starts the clock."""
        self._ends = {}
        self._begin = time.perf_counter()

    def on_train_batch_end(
        self, batch: int, logs: dict[str, Any] | None = None
    ) -> None:
        """Notes when the step was done; its logs are on the host by now."""
        self._ends[batch + 1] = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Adds the metrics; must come before the callbacks that read them."""
        if logs is None or not self._ends:
            return
        logs["epoch_seconds"] = max(self._ends.values()) - self._begin
        if self._is_first_epoch:
            logs["first_step_seconds"] = self._first_end() - self._begin
        logs["images_per_second"] = self._throughput()
        self._is_first_epoch = False

    def _first_end(self) -> float:
        """Returns when the first step was done: threads may note a later one first."""
        return min(self._ends.values())

    def _throughput(self) -> float:
        steps, start, end = max(self._ends), self._begin, max(self._ends.values())
        if self._is_first_epoch and end > self._first_end():
            # The smallest is more than 1 with several steps an execution.
            steps, start = steps - min(self._ends), self._first_end()
        return steps * self._batch_size / (end - start)
