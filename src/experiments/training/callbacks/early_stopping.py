"""Ends training when a metric no longer improves, also over an interruption."""

from typing import Any, TypedDict

import keras

from experiments.config.kinds.objective import Mode, Objective
from experiments.shapes import conform
from experiments.training.metrics import read_metric

_MEMORY = ("wait", "best", "best_epoch", "stopped_epoch")


class _Memory(TypedDict):
    wait: float
    best: float | None
    best_epoch: float
    stopped_epoch: float


class EarlyStopping(keras.callbacks.EarlyStopping):
    """Keras' callback with a memory that is saved.

    Of a training in phases it judges the last one: what comes before is a preparation.
    The best weights are the checkpoint's business: there they survive a crash.

    Args:
        monitor: Metric that has to improve.
        mode: Whether a larger or a smaller value is better; `auto` leaves it to the
            name.
        patience: Epochs without improvement that are allowed.
        min_delta: Smallest change that counts as an improvement.
        start_from_epoch: Epochs that are not judged at all.
    """

    def __init__(
        self,
        *,
        monitor: str,
        mode: Mode = "auto",
        patience: int,
        min_delta: float = 0.0,
        start_from_epoch: int = 0,
    ) -> None:
        self._objective = Objective(monitor, mode)
        self._is_judging = True
        super().__init__(
            monitor=monitor,
            mode=self._objective.direction,
            patience=patience,
            min_delta=min_delta,
            start_from_epoch=start_from_epoch,
        )

    def begin_phase(self, *, is_last: bool) -> None:
        """Judges the epochs of the last phase."""
        self._is_judging = is_last

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Counts the epochs without improvement."""
        if self._is_judging:
            super().on_epoch_end(epoch, logs)

    def get_state(self) -> dict[str, Any]:
        """Returns the best value and the patience used up, ready for JSON."""
        state = {name: getattr(self, name) for name in _MEMORY}
        return {k: v if v is None else float(v) for k, v in state.items()}

    def set_state(self, state: dict[str, Any]) -> None:
        """Takes up what `get_state` returned."""
        memory = conform(state, _Memory)
        for name in _MEMORY:
            setattr(self, name, memory[name])

    def get_monitor_value(self, logs: dict[str, Any] | None) -> float:
        """Returns the metric's value; where Keras warns that there is none, refuses."""
        return read_metric(logs or {}, self.monitor, "The early stopping's monitor")

    def _is_improvement(self, monitor_value: Any, reference_value: Any) -> bool:
        """Tells it as everything else does: what is not finite is none."""
        return self._objective.is_better(
            monitor_value, reference_value, by_more_than=abs(self.min_delta)
        )
