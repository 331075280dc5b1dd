"""Lowers the learning rate when a metric no longer improves."""

from typing import Annotated, Any, TypedDict

import keras

from experiments.config.kinds.objective import Mode, Objective
from experiments.shapes import Count, Rule, conform
from experiments.training.metrics import read_metric
from experiments.training.schedules import ScaledSchedule

_Share = Annotated[float, Rule(lambda share: 0 < share <= 1, "more than 0, at most 1")]


class _Memory(TypedDict):
    best: float | None
    wait: Count
    product: _Share


class ReduceOnPlateau(keras.callbacks.Callback):
    """Multiplies the rate by a factor after epochs without improvement.

    Keras' `ReduceLROnPlateau` refuses a schedule and forgets what it waited for. Here
    the schedule goes on, lowered; the step is compiled anew each time. A phase begins
    with its own rate, and is compared with itself.

    Args:
        monitor: Metric that has to improve.
        mode: Whether a larger or a smaller value is better; `auto` leaves it to the
            name.
        factor: What the rate is multiplied by, between 0 and 1.
        patience: Epochs without improvement that are allowed.
        min_delta: Smallest change that counts as an improvement.
        min_factor: The product of all factors stays at least this.
    """

    def __init__(
        self,
        *,
        monitor: str,
        mode: Mode = "auto",
        factor: float = 0.1,
        patience: int = 10,
        min_delta: float = 0.0,
        min_factor: float = 1e-3,
    ) -> None:
        super().__init__()
        self._objective = Objective(monitor, mode)
        self._factor = factor
        self._patience = patience
        self._min_delta = min_delta
        self._min_factor = min_factor
        self._best: float | None = None
        self._wait = 0
        self._product = 1.0

    def begin_phase(self, *, is_last: bool) -> None:
        """Begins anew: so does the optimizer."""
        self._best, self._wait, self._product = None, 0, 1.0

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Counts the epochs without improvement."""
        value = self._read(logs or {})
        if self._objective.is_better(value, self._best, by_more_than=self._min_delta):
            self._best, self._wait = value, 0
            return
        self._wait += 1
        if self._wait >= self._patience:
            self._wait = 0
            self._lower(max(self._product * self._factor, self._min_factor))

    def get_state(self) -> dict[str, Any]:
        """Returns the best value, the patience used up and the rate's factor."""
        return {"best": self._best, "wait": self._wait, "product": self._product}

    def set_state(self, state: dict[str, Any]) -> None:
        """Takes up what `get_state` returned."""
        memory: _Memory = conform(state, _Memory)
        self._best, self._wait = memory["best"], memory["wait"]
        self._lower(memory["product"])

    def _read(self, logs: dict[str, Any]) -> float:
        return read_metric(logs, self._objective.name, "The plateau's monitor")

    def _lower(self, product: float) -> None:
        if product == self._product:
            return
        model = self.model
        optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer)
        optimizer.learning_rate = ScaledSchedule(
            schedule=optimizer._learning_rate, factor=product / self._product
        )
        self._product = product
        if model.train_function is not None:
            model.make_train_function(force=True)  # the old one keeps the old rate
