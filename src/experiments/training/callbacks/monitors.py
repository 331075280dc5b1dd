"""Small callbacks: the learning rate as a metric, NaN, first step, epoch's log."""

import math
from collections.abc import Callable
from typing import Any

import keras

from experiments.errors import ExperimentError

_WAYS_OUT = (
    "Lower optimizer.lr, lengthen schedule.warmup_epochs or set "
    "optimizer.global_clip_norm=1.0."
)


class DivergedError(ExperimentError):
    """The loss is no longer a finite number."""

    failure = "nan"


class LearningRateMonitor(keras.callbacks.Callback):
    """Adds `lr`, the rate of the epoch's last step, to the epoch's metrics."""

    def __init__(self) -> None:
        super().__init__()
        self._rate: Any = None

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Keeps the schedule, which others may replace at the end of the epoch."""
        self._rate = _inner(self.model.optimizer)._learning_rate

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Adds `lr`; must come before the callbacks that read it."""
        if logs is not None:
            logs["lr"] = last_lr(self.model.optimizer, self._rate)


class TerminateOnNaN(keras.callbacks.Callback):
    """Fails training as soon as the loss is NaN or infinite.

    Keras' callback of that name stops quietly, so that a diverged run would count as
    finished; and it makes JAX wait for each step.
    """

    async_safe = True  # only reads the logs, in any order and thread

    def __init__(self) -> None:
        super().__init__()
        self._message = ""
        self._epoch = 0

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Remembers the epoch for the message."""
        self._epoch = epoch

    def on_train_batch_end(
        self, batch: int, logs: dict[str, Any] | None = None
    ) -> None:
        """Looks at the loss; may run in a thread, so the error is raised elsewhere."""
        loss = (logs or {}).get("loss", 0.0)
        if not self._message and not math.isfinite(loss):
            self._message = (
                f"The loss became {loss} in epoch {self._epoch + 1}, step {batch + 1}. "
                f"{_WAYS_OUT}"
            )

    def on_train_batch_begin(
        self, batch: int, logs: dict[str, Any] | None = None
    ) -> None:
        """Raises `DivergedError` when an earlier step's loss was not finite."""
        self._raise_if_diverged()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Raises `DivergedError` for the last step's loss and the validation's."""
        self._raise_if_diverged()
        for name, value in (logs or {}).items():
            if name.endswith("loss") and not math.isfinite(value):
                raise DivergedError(
                    f"{name} became {value} in epoch {epoch + 1}. {_WAYS_OUT}"
                )

    def _raise_if_diverged(self) -> None:
        if self._message:
            raise DivergedError(self._message)


class FirstStep(keras.callbacks.Callback):
    """Calls a function once a step of this process is done, or an epoch's rest.

    Args:
        run_then: Called once, in the thread that trains.
    """

    async_safe = True  # only remembers that there were logs

    def __init__(self, run_then: Callable[[], None]) -> None:
        super().__init__()
        self._run_then = run_then
        self._is_done = self._was_told = False

    def on_train_batch_end(
        self, batch: int, logs: dict[str, Any] | None = None
    ) -> None:
        """Notes that the step's numbers are there; may run in a thread."""
        self._is_done = True

    def on_train_batch_begin(
        self, batch: int, logs: dict[str, Any] | None = None
    ) -> None:
        """Tells at the beginning of a later step; JAX begins one before it is done."""
        if self._is_done:
            self._tell()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Tells it at the latest."""
        self._tell()

    def _tell(self) -> None:
        if not self._was_told:
            self._was_told = True
            self._run_then()


class EpochLogger(keras.callbacks.Callback):
    """Hands each epoch's metrics to a function; comes after all that add metrics.

    Args:
        run_log: Called with the number of completed epochs, from 1 on, and all the
            epoch's metrics: those of the model, of the validation, and what other
            callbacks added.
    """

    def __init__(self, run_log: Callable[[int, dict[str, float]], None]) -> None:
        super().__init__()
        self._run_log = run_log

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Hands the metrics on."""
        self._run_log(epoch + 1, {k: float(v) for k, v in (logs or {}).items()})


def last_lr(optimizer: Any, rate: Any = None) -> float:
    """Returns the learning rate of the last step that `optimizer` took.

    `optimizer.learning_rate` is already the next step's, which would show a step
    schedule's drop one epoch early and a cosine's end as 0.

    Args:
        optimizer: A `keras.optimizers.Optimizer`.
        rate: What gave that step's rate; `None` for what does it now.
    """
    steps = int(_inner(optimizer).iterations)
    return rate_at(optimizer, max(steps - 1, 0), rate)


def rate_at(optimizer: Any, step: int, rate: Any = None) -> float:
    """Returns the learning rate with which `optimizer` takes a step.

    Args:
        optimizer: A `keras.optimizers.Optimizer`.
        step: Counted from 0 over all epochs.
        rate: What gives that step's rate; `None` for what does it now.
    """
    inner = _inner(optimizer)
    rate = inner._learning_rate if rate is None else rate
    if isinstance(rate, keras.optimizers.schedules.LearningRateSchedule):
        return float(rate(step))
    return float(inner.learning_rate)


def _inner(optimizer: Any) -> Any:
    """Returns the optimizer below loss scaling."""
    return getattr(optimizer, "inner_optimizer", optimizer)
