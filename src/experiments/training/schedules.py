"""Learning rates over the epochs: a linear warm-up, then a shape."""

import bisect
import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

_register = keras.saving.register_keras_serializable(package="experiments")


@_register
class ConstantSchedule(keras.optimizers.schedules.LearningRateSchedule):
    """A linear warm-up to the peak, which is then kept.

    The other schedules replace `shape`, the fraction of the peak after the warm-up.

    Args:
        peak_lr: Rate at the end of the warm-up.
        steps_per_epoch: Optimizer steps in an epoch.
        epochs: Length of the whole training.
        warmup_epochs: Length of the warm-up; fractions of an epoch are allowed.
        warmup_start: Rate of the first step, as a fraction of `peak_lr`.

    Raises:
        ValueError: The warm-up leaves no epoch to train in.
    """

    def __init__(
        self,
        *,
        peak_lr: float,
        steps_per_epoch: int,
        epochs: int,
        warmup_epochs: float = 0.0,
        warmup_start: float = 0.0,
    ) -> None:
        if warmup_epochs and warmup_epochs >= epochs:
            raise ValueError(
                "schedule.warmup_epochs must be less than trainer.epochs, which is "
                f"{epochs}. Received: {warmup_epochs}. Shorten it or train longer."
            )
        self.peak_lr = peak_lr
        self.steps_per_epoch = steps_per_epoch
        self.epochs = epochs
        self.warmup_epochs = warmup_epochs
        self.warmup_start = warmup_start
        self.warmup_steps = warmup_epochs * steps_per_epoch
        self.total_steps = epochs * steps_per_epoch

    def __call__(self, step: Any) -> Any:
        """Returns the rate of `step`, a scalar counted from 0, as a float32 tensor."""
        step = ops.cast(step, "float32")
        rate = self.peak_lr * self.shape(step)
        if not self.warmup_steps:
            return rate
        done = step / self.warmup_steps
        rising = self.warmup_start + (1.0 - self.warmup_start) * done
        return ops.where(step < self.warmup_steps, self.peak_lr * rising, rate)

    def shape(self, step: Any) -> Any:
        """Returns the fraction of the peak at `step`; called below jit."""
        return ops.ones_like(step)

    def progress(self, step: Any) -> Any:
        """Returns how much of the time after the warm-up has passed, 0 to 1."""
        done = (step - self.warmup_steps) / (self.total_steps - self.warmup_steps)
        return ops.clip(done, 0.0, 1.0)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {
            "peak_lr": self.peak_lr,
            "steps_per_epoch": self.steps_per_epoch,
            "epochs": self.epochs,
            "warmup_epochs": self.warmup_epochs,
            "warmup_start": self.warmup_start,
        }


@_register
class CosineSchedule(ConstantSchedule):
    """Half a cosine from the peak to `end_lr_fraction` of it, after the warm-up.

    Reference:
        Loshchilov and Hutter, SGDR, 2017, equation 5, without restarts.
    """

    def __init__(self, *, end_lr_fraction: float = 0.0, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.end_lr_fraction = end_lr_fraction

    def shape(self, step: Any) -> Any:
        """Returns the fraction of the peak at `step`."""
        falling = 0.5 * (1.0 + ops.cos(math.pi * self.progress(step)))
        return self.end_lr_fraction + (1.0 - self.end_lr_fraction) * falling

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {**super().get_config(), "end_lr_fraction": self.end_lr_fraction}


@_register
class PolynomialSchedule(ConstantSchedule):
    """A power of the time left, from the peak to `end_lr_fraction` of it."""

    def __init__(
        self, *, power: float = 1.0, end_lr_fraction: float = 0.0, **arguments: Any
    ) -> None:
        super().__init__(**arguments)
        self.power = power
        self.end_lr_fraction = end_lr_fraction

    def shape(self, step: Any) -> Any:
        """Returns the fraction of the peak at `step`."""
        falling = (1.0 - self.progress(step)) ** self.power
        return self.end_lr_fraction + (1.0 - self.end_lr_fraction) * falling

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {
            **super().get_config(),
            "power": self.power,
            "end_lr_fraction": self.end_lr_fraction,
        }


@_register
class ExponentialSchedule(ConstantSchedule):
    """By the same factor in each epoch, step by step, after the warm-up.

    Args:
        factor: What an epoch multiplies the rate with.
        **arguments: Those of `ConstantSchedule`.
    """

    def __init__(self, *, factor: float, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.factor = factor

    def shape(self, step: Any) -> Any:
        """Returns the fraction of the peak at `step`."""
        epochs = (self.total_steps - self.warmup_steps) / self.steps_per_epoch
        return ops.exp(math.log(self.factor) * epochs * self.progress(step))

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {**super().get_config(), "factor": self.factor}


@_register
class RestartsSchedule(ConstantSchedule):
    """Half cosines, each from a peak to `end_lr_fraction`, one after the other.

    Args:
        first_epochs: Length of the first one after the warm-up.
        length_factor: Length of each further one, in units of the one before.
        peak_factor: Peak of each further one, likewise.
        end_lr_fraction: Lowest rate as a fraction of `peak_lr`; no peak is below it.
        **arguments: Those of `ConstantSchedule`.

    Reference:
        Loshchilov and Hutter, SGDR, 2017, equation 5, with `T_0` and `T_mult`; the
        peaks stay there.
    """

    def __init__(
        self,
        *,
        first_epochs: float,
        length_factor: float = 1.0,
        peak_factor: float = 1.0,
        end_lr_fraction: float = 0.0,
        **arguments: Any,
    ) -> None:
        super().__init__(**arguments)
        self.first_epochs = first_epochs
        self.length_factor = length_factor
        self.peak_factor = peak_factor
        self.end_lr_fraction = end_lr_fraction

    def shape(self, step: Any) -> Any:
        """Returns the fraction of the peak at `step`."""
        last = self.total_steps - 1  # later ones have its rate
        step = ops.minimum(step, float(last))
        begin, length, peak = self.warmup_steps, self._first_steps(), 1.0
        fraction = ops.ones_like(step)
        while begin <= last:
            done = ops.clip((step - begin) / length, 0.0, 1.0)
            falling = 0.5 * (1.0 + ops.cos(math.pi * done))
            height = max(peak - self.end_lr_fraction, 0.0)
            rate = self.end_lr_fraction + height * falling
            fraction = ops.where(step >= begin, rate, fraction)
            begin, length = begin + length, length * self.length_factor
            peak *= self.peak_factor
        return fraction

    def _first_steps(self) -> float:
        return max(self.first_epochs * self.steps_per_epoch, 1.0)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {
            **super().get_config(),
            "first_epochs": self.first_epochs,
            "length_factor": self.length_factor,
            "peak_factor": self.peak_factor,
            "end_lr_fraction": self.end_lr_fraction,
        }


@_register
class OneCycleSchedule(ConstantSchedule):
    """A cosine up to the peak and one down to nearly nothing, over the whole training.

    Args:
        rising_fraction: Share of the steps until the peak.
        start_divisor: The peak in units of the first rate.
        end_divisor: The peak in units of the last rate.
        **arguments: Those of `ConstantSchedule`; without a warm-up, which it has.

    Reference:
        Smith, A Disciplined Approach to Neural Network Hyper-Parameters, 2018, section
        5, in fastai's form, whose momentum moves the other way; here it stays.
    """

    def __init__(
        self,
        *,
        rising_fraction: float = 0.25,
        start_divisor: float = 25.0,
        end_divisor: float = 1e5,
        **arguments: Any,
    ) -> None:
        super().__init__(**arguments)
        self.rising_fraction = rising_fraction
        self.start_divisor = start_divisor
        self.end_divisor = end_divisor

    def shape(self, step: Any) -> Any:
        """Returns the fraction of the peak at `step`."""
        # The last step of the training has the last rate.
        done = ops.clip(step / max(self.total_steps - 1, 1), 0.0, 1.0)
        rises = self.rising_fraction
        rising = _follow_cosine(1 / self.start_divisor, 1.0, done / rises)
        falls = (done - rises) / (1.0 - rises)
        falling = _follow_cosine(1.0, 1 / self.end_divisor, falls)
        return ops.where(done < rises, rising, falling)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {
            **super().get_config(),
            "rising_fraction": self.rising_fraction,
            "start_divisor": self.start_divisor,
            "end_divisor": self.end_divisor,
        }


def _follow_cosine(start: float, end: float, done: Any) -> Any:
    """Returns what half a cosine from `start` to `end` has, `done` from 0 to 1."""
    return end + (start - end) * 0.5 * (1.0 + ops.cos(math.pi * done))


@_register
class StepSchedule(ConstantSchedule):
    """The peak times `factor` for each milestone that has passed.

    Args:
        milestones: Completed epochs, counted from the start of training, increasing.
        every_epochs: Instead of them: distance of evenly spaced milestones.
        factor: What each milestone multiplies the rate with.
        **arguments: Those of `ConstantSchedule`.

    Raises:
        ValueError: Both or neither of `milestones` and `every_epochs` are given.
    """

    def __init__(
        self,
        *,
        milestones: Sequence[float] | None = None,
        every_epochs: float | None = None,
        factor: float = 0.1,
        **arguments: Any,
    ) -> None:
        super().__init__(**arguments)
        if (milestones is None) == (every_epochs is None):
            raise ValueError(
                "Exactly one of `milestones` and `every_epochs` must be given. "
                f"Received: {milestones} and {every_epochs}."
            )
        self.milestones = None if milestones is None else list(milestones)
        self.every_epochs = every_epochs
        self.factor = factor

    def shape(self, step: Any) -> Any:
        """Returns the fraction of the peak at `step`."""
        # Whole steps, since epochs as float32 quotients would miss their boundaries.
        rates = [self.factor**n for n in range(len(self._boundaries()) + 1)]
        fraction = ops.ones_like(step)
        for boundary, rate in zip(self._boundaries(), rates[1:], strict=True):
            fraction = ops.where(step >= boundary, rate, fraction)
        return fraction

    def _boundaries(self) -> list[int]:
        """Returns the steps at which the rate falls, those after the end left out."""
        epochs = self.milestones
        if self.every_epochs is not None:
            count = math.ceil(self.epochs / self.every_epochs)
            epochs = [self.every_epochs * n for n in range(1, count)]
        steps = [round(epoch * self.steps_per_epoch) for epoch in epochs or []]
        return steps[: bisect.bisect_left(steps, self.total_steps)]

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {
            **super().get_config(),
            "milestones": self.milestones,
            "every_epochs": self.every_epochs,
            "factor": self.factor,
        }


@_register
class ScaledSchedule(keras.optimizers.schedules.LearningRateSchedule):
    """Another schedule times a factor.

    Args:
        schedule: The other schedule, or its serialised form.
        factor: What each of its rates is multiplied by.
    """

    def __init__(self, *, schedule: Any, factor: float) -> None:
        if isinstance(schedule, dict):
            schedule = keras.optimizers.schedules.deserialize(schedule)
        self.schedule = schedule
        self.factor = factor

    def __call__(self, step: Any) -> Any:
        """Returns the rate of `step`, a scalar counted from 0, as a float32 tensor."""
        return self.factor * self.schedule(step)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        schedule = keras.optimizers.schedules.serialize(self.schedule)
        return {"schedule": schedule, "factor": self.factor}
