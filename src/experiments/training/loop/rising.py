"""A short training whose learning rate rises from step to step."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import keras
from keras import ops

from experiments.training.callbacks.monitors import last_lr


@keras.saving.register_keras_serializable(package="experiments")
class RisingSchedule(keras.optimizers.schedules.LearningRateSchedule):
    """By the same factor in each step, from the lowest rate to the highest.

    Args:
        lowest: Of the first step.
        highest: Of step number `steps`, counted from 1, and of later ones.
        steps: At least two.
    """

    def __init__(self, *, lowest: float, highest: float, steps: int) -> None:
        self.lowest = lowest
        self.highest = highest
        self.steps = steps

    def __call__(self, step: Any) -> Any:
        """Returns the rate of `step`, a scalar counted from 0, as a float32 tensor."""
        done = ops.minimum(ops.cast(step, "float32") / (self.steps - 1), 1.0)
        return self.lowest * ops.exp(math.log(self.highest / self.lowest) * done)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {"lowest": self.lowest, "highest": self.highest, "steps": self.steps}


def train_rising(
    model: Any,
    batches: Any,
    *,
    lowest: float,
    highest: float,
    steps: int,
    goes_on: Callable[[Sequence[float]], bool],
) -> tuple[list[float], list[float]]:
    """Trains a compiled model at rising rates, whatever its own schedule is.

    Args:
        model: A compiled `keras.Model`, one step an execution.
        batches: Of images and labels, without an end.
        lowest: Rate of the first step.
        highest: Rate of the last one.
        steps: How many.
        goes_on: Is told the losses so far after each step, and decides.

    Returns:
        The rate and the loss of each step. A step whose gradients overflow half
        precision is not taken, and has the rate of the one before.
    """
    schedule = RisingSchedule(lowest=lowest, highest=highest, steps=steps)
    optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer)
    optimizer.learning_rate = schedule
    watch = _Watch(goes_on)
    # An epoch a step: Keras adds up the loss of an epoch, and begins each at 0.
    model.fit(
        batches,
        epochs=steps,
        steps_per_epoch=1,
        callbacks=[watch],
        shuffle=False,
        verbose=0,
    )
    return watch.rates, watch.losses


class _Watch(keras.callbacks.Callback):
    """Notes rates and losses, and ends the training when it is told to."""

    def __init__(self, goes_on: Callable[[Sequence[float]], bool]) -> None:
        super().__init__()
        self._goes_on = goes_on
        self.rates: list[float] = []
        self.losses: list[float] = []

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.rates.append(last_lr(self.model.optimizer))
        self.losses.append(float((logs or {})["loss"]))
        if not self._goes_on(self.losses):
            self.model.stop_training = True
