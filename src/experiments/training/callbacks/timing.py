"""How long an epoch takes, as metrics."""

import time
from typing import Any, TypedDict

import keras

from experiments.config.kinds.metric_names import FIRST_STEP
from experiments.shapes import Count, conform


class _Memory(TypedDict):
    seconds: float
    steps: Count


class Timing(keras.callbacks.Callback):
    """Adds seconds and throughput of training, without validation, to each epoch.

    `epoch_seconds` runs from the epoch's start to its last step's end; for an epoch
    that several processes trained, their times are added up. The first step of a
    process, in which the step is traced and compiled, is also given alone as
    `first_step_seconds`; it and the first one of each phase are left out of
    `images_per_second`.

    Args:
        batch_size: Images a step; a last, smaller batch counts as a full one.
    """

    async_safe = True  # each step writes its own entry, in any order and thread

    def __init__(self, *, batch_size: int) -> None:
        super().__init__()
        self._batch_size = batch_size
        self._is_first_epoch = True
        self._is_compiling = True
        self._begin = 0.0
        self._ends: dict[int, float] = {}
        self._earlier = (0.0, 0)

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Forgets an earlier fit: a new one compiles anew."""
        self._is_first_epoch = True
        self._is_compiling = True

    def begin_phase(self, *, is_last: bool) -> None:
        """Awaits a step that compiles: each phase has its own."""
        self._is_compiling = True

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Starts the clock."""
        self._ends = {}
        self._earlier = (0.0, 0)
        self._begin = time.perf_counter()

    def on_train_batch_end(
        self, batch: int, logs: dict[str, Any] | None = None
    ) -> None:
        """Notes when the step was done; its logs are on the host by now."""
        self._ends[batch + 1] = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Adds the metrics; must come before the callbacks that read them."""
        if logs is None:
            return
        seconds, steps = self._elapsed()
        if self._ends:
            logs["images_per_second"] = self._throughput()
            if self._is_first_epoch:
                logs[FIRST_STEP] = self._first_end() - self._begin
        elif steps:  # an earlier process did them all
            logs["images_per_second"] = steps * self._batch_size / seconds
        if steps:
            logs["epoch_seconds"] = seconds
        self._is_first_epoch = self._is_compiling = False

    def get_state(self) -> dict[str, Any]:
        """Returns what the running epoch took so far."""
        seconds, steps = self._elapsed()
        return {"seconds": seconds, "steps": steps}

    def set_state(self, state: dict[str, Any]) -> None:
        """Adds what earlier processes spent on the running epoch."""
        memory: _Memory = conform(state, _Memory)
        self._earlier = (memory["seconds"], memory["steps"])

    def _elapsed(self) -> tuple[float, int]:
        """Returns seconds and steps of the epoch, earlier processes included."""
        seconds, steps = self._earlier
        if not self._ends:
            return seconds, steps
        return seconds + max(self._ends.values()) - self._begin, max(self._ends)

    def _first_end(self) -> float:
        """Returns when the first step was done: threads may note a later one first."""
        return min(self._ends.values())

    def _throughput(self) -> float:
        steps = max(self._ends) - self._earlier[1]
        start, end = self._begin, max(self._ends.values())
        if self._is_compiling and end > self._first_end():
            # The smallest is more than 1 with several steps an execution.
            steps, start = max(self._ends) - min(self._ends), self._first_end()
        return steps * self._batch_size / (end - start)
