"""Where a training is, when it is saved and when it is asked to stop."""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import keras

from experiments.errors import Preempted
from experiments.heartbeat import beat
from experiments.interruption import StopRequest
from experiments.training.callbacks.abilities import gather_states
from experiments.training.callbacks.checkpoint import Checkpoint
from experiments.training.checkpoints.state import (
    Position,
    TrainingState,
    copy_metrics,
    copy_variables,
)

log = logging.getLogger(__name__)

_NOT_SAVED = "nothing is saved, because callbacks.checkpoint is off"


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What ends a training before its last epoch, resumably.

    Attributes:
        max_steps: Steps over the whole life of the job.
        max_minutes: Minutes of this process.
        until_epoch: Epoch after which training pauses, its last state saved.
    """

    max_steps: int | None = None
    max_minutes: float | None = None
    until_epoch: int | None = None


class Supervisor(keras.callbacks.Callback):
    """Follows a training step by step; comes after every other callback.

    Looks at the beginning of a step at what the steps before it left: a hook at its
    end would make JAX wait for each.

    Args:
        callbacks: Name -> callback; what they remember is part of the state.
        epochs: Number of the last epoch, counted from 1.
        steps_per_epoch: Steps an epoch.
        history: Metrics of the completed epochs; grows.
        stop: How training is asked to stop.
        limits: When it stops by itself.
        enter_phase: Compiles the model for a phase, by its number.
    """

    def __init__(
        self,
        callbacks: Mapping[str, Any],
        *,
        epochs: int,
        steps_per_epoch: int,
        history: list[dict[str, float]],
        stop: StopRequest,
        limits: Limits,
        enter_phase: Callable[[int], None] = lambda number: None,
    ) -> None:
        super().__init__()
        self.history = history
        self._callbacks = callbacks
        self._epochs = epochs
        self._steps_per_epoch = steps_per_epoch
        self._stop = stop
        self._limits = limits
        self.flush: Callable[[], None] = lambda: None
        self._begin = time.monotonic()
        self._position = Position()
        self._has_begun = False  # a step, in this process
        self._accumulators: Mapping[str, Any] | None = None
        self._checkpoints = [c for c in callbacks.values() if isinstance(c, Checkpoint)]
        for checkpoint in self._checkpoints:
            checkpoint.give_up_when(lambda: self._stop_reason() is not None)
            checkpoint.compile_by(enter_phase)

    @property
    def plan_of_start(self) -> str:
        """What a stop means before the first step is done."""
        step = "the first step, which is being compiled"
        return f"stopping after {step}{self._describe_saving()}"

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Notes the epoch."""
        self._position = Position(epoch, 0)

    def on_train_batch_begin(
        self, batch: int, logs: dict[str, Any] | None = None
    ) -> None:
        """Saves what is due and stops when asked to, before step `batch`."""
        beat()
        if self._has_begun:
            self._stop.plan = f"stopping after this step{self._describe_saving()}"
        self._has_begun = True
        self._position = Position(self._position.epoch, batch)
        for checkpoint in self._checkpoints:
            checkpoint.end_step(self.capture)
        self._stop_if_asked()

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Keeps the metrics of the epoch's training: validation resets them."""
        self._position = Position(self._position.epoch, self._steps_per_epoch)
        self._stop.plan = f"stopping: {self._describe_validation()}"
        self._accumulators = copy_metrics(self.model)

    def on_test_batch_begin(
        self, batch: int, logs: dict[str, Any] | None = None
    ) -> None:
        """Breaks the validation off when asked to stop."""
        beat()
        if self._stop.reason is not None:
            self.model.stop_evaluating = True

    def on_test_end(self, logs: dict[str, Any] | None = None) -> None:
        """Stops when asked to; the validation is done again on continuing."""
        if self._stop.reason is not None:
            self._stop_if_asked()
        self._accumulators = None

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Adds the epoch to the history, saves what is due, stops when asked to."""
        metrics = {name: float(value) for name, value in (logs or {}).items()}
        self.history.append(metrics)
        self._position = Position(epoch + 1, 0)
        pauses = epoch + 1 == self._limits.until_epoch
        for checkpoint in self._checkpoints:
            checkpoint.end_epoch(
                epoch + 1, metrics, self.capture, is_last=self.has_ended or pauses
            )
        if self.has_ended or pauses:
            self._settle()
        if not self.has_ended:
            self._stop_if_asked()

    @property
    def has_ended(self) -> bool:
        """Tells whether there is no epoch left, or a callback ended training."""
        return bool(self.model.stop_training) or self._position.epoch >= self._epochs

    def capture(self) -> TrainingState:
        """Copies the state of this moment."""
        self.flush()
        return TrainingState(
            arrays={**copy_variables(self.model), **(self._accumulators or {})},
            position=self._position,
            history=tuple(self.history),
            memory=gather_states(self._callbacks),
            finished=self.has_ended,
        )

    def _describe_saving(self) -> str:
        saved = ", and its state is saved"
        return saved if self._checkpoints else f"; {_NOT_SAVED}"

    def _describe_validation(self) -> str:
        again = "this validation is done again when the job continues"
        return again if self._checkpoints else _NOT_SAVED

    def _settle(self) -> None:
        """Sees the last state saved: without it the result might not be the best."""
        stops = [c for c in self._checkpoints if not c.settle()]
        if stops:
            raise self._stop_reason() or Preempted("want of room on the disk")

    def _stop_if_asked(self) -> None:
        stop = self._stop_reason()
        if stop is None:
            return
        if not self._checkpoints:
            log.warning("Stopped: %s.", _NOT_SAVED)
            stop.advice = "The same command begins anew."
        for checkpoint in self._checkpoints:
            checkpoint.save_now(self.capture())
        raise stop

    def _stop_reason(self) -> Preempted | None:
        if self._stop.reason is not None:
            return Preempted(self._stop.reason)
        steps, minutes = self._limits.max_steps, self._limits.max_minutes
        done = self._position.epoch * self._steps_per_epoch + self._position.step
        if steps is not None and done >= steps:
            # They count over the job's whole life: again it would end where it is.
            return Preempted(
                f"trainer.max_steps={steps}",
                advice="With more steps, or without it, the same command continues.",
            )
        if minutes is not None and time.monotonic() - self._begin >= 60 * minutes:
            return Preempted(f"trainer.max_minutes={minutes:g}")
        return None
