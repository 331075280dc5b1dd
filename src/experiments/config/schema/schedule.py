"""Schema of the `schedule` group: the learning rate over the epochs."""

from collections.abc import Iterator
from dataclasses import dataclass

from experiments.config.reading.fields import OpenTarget, Target, setting
from experiments.config.schema.trainer import MOST_EPOCHS
from experiments.errors import Problem

# Each is an operation of every step.
MOST_MILESTONES = 1000


@dataclass(frozen=True, kw_only=True)
class ScheduleConfig(Target):
    """A linear warm-up; alone it is followed by a constant rate.

    Attributes:
        warmup_epochs: Length of the warm-up; fractions of an epoch are allowed.
        warmup_start: Rate of the first step, as a fraction of `optimizer.lr`.
    """

    warmup_epochs: float = setting(ge=0, most=MOST_EPOCHS)
    warmup_start: float = setting(ge=0, le=1)


@dataclass(frozen=True, kw_only=True)
class CosineConfig(ScheduleConfig):
    """Half a cosine from the peak to `end_lr_fraction` of it."""

    end_lr_fraction: float = setting(ge=0, le=1)


@dataclass(frozen=True, kw_only=True)
class PolynomialConfig(CosineConfig):
    """From the peak to `end_lr_fraction` of it; `power` 1 is a straight line."""

    power: float = setting(gt=0, least=1e-3, most=1000)


@dataclass(frozen=True, kw_only=True)
class ExponentialConfig(ScheduleConfig):
    """The rate times `factor` in each epoch, step by step."""

    factor: float = setting(gt=0, le=1, least=1e-30)


@dataclass(frozen=True, kw_only=True)
class RestartsConfig(CosineConfig):
    """Half cosines one after the other.

    Attributes:
        first_epochs: Length of the first one.
        length_factor: Length of each further one, in units of the one before.
        peak_factor: Peak of each further one, likewise.
    """

    first_epochs: float = setting(gt=0, least=1e-3, most=MOST_EPOCHS)
    length_factor: float = setting(ge=1, most=1e6)
    peak_factor: float = setting(gt=0, le=10, least=1e-6)

    def ends(self, epochs: int) -> list[float]:
        """Returns when each cosine ends that begins before `epochs` have passed."""
        length = self.first_epochs
        ends = [self.warmup_epochs + length]
        while ends[-1] < epochs and len(ends) <= MOST_MILESTONES:
            length *= self.length_factor
            ends.append(ends[-1] + length)
        return ends


@dataclass(frozen=True, kw_only=True)
class OneCycleConfig(ScheduleConfig):
    """A cosine up to the peak and one down to nearly nothing.

    Attributes:
        rising_fraction: Share of the steps until the peak.
        start_divisor: The peak in units of the first rate.
        end_divisor: The peak in units of the last rate.
    """

    rising_fraction: float = setting(gt=0, lt=1, least=1e-6)
    start_divisor: float = setting(ge=1, most=1e9)
    end_divisor: float = setting(ge=1, most=1e12)

    def check(self) -> Iterator[Problem]:
        """Yields a problem for a second way up."""
        if self.warmup_epochs:
            yield Problem(
                "warmup_epochs",
                "must be 0: one_cycle warms up by itself, as long as "
                "schedule.rising_fraction says, from the peak over "
                f"schedule.start_divisor. Received: {self.warmup_epochs:g}.",
                "Type schedule.warmup_epochs=0.",
            )


@dataclass(frozen=True, kw_only=True)
class StepConfig(ScheduleConfig):
    """The rate times `factor` at each milestone, or after every so many epochs.

    Attributes:
        milestones: Completed epochs, counted from the start of training.
        every_epochs: Distance of evenly spaced milestones.
        factor: What each milestone multiplies the rate with.
    """

    milestones: list[float] | None = setting(
        gt=0, most=MOST_EPOCHS, min_length=1, max_length=MOST_MILESTONES
    )
    every_epochs: float | None = setting(gt=0, least=1e-6, most=MOST_EPOCHS)
    factor: float = setting(gt=0, le=1, least=1e-30)

    def check(self) -> Iterator[Problem]:
        """Yields a problem unless the milestones are given in one way, in order."""
        if (self.milestones is None) == (self.every_epochs is None):
            yield Problem(
                "milestones",
                "and schedule.every_epochs: exactly one must be set. "
                f"Received: {self.milestones} and {self.every_epochs}.",
                "Set the other one to null.",
            )
        if self.milestones and self.milestones != sorted(set(self.milestones)):
            yield Problem("milestones", f"must increase. Received: {self.milestones}.")


@dataclass(frozen=True, kw_only=True)
class CustomScheduleConfig(OpenTarget):
    """A schedule of one's own: its keys are those that its YAML file declares."""


_MODULE = "experiments.training.schedules"
SCHEDULES: dict[str, type] = {
    f"{_MODULE}.ConstantSchedule": ScheduleConfig,
    f"{_MODULE}.CosineSchedule": CosineConfig,
    f"{_MODULE}.PolynomialSchedule": PolynomialConfig,
    f"{_MODULE}.StepSchedule": StepConfig,
    f"{_MODULE}.ExponentialSchedule": ExponentialConfig,
    f"{_MODULE}.RestartsSchedule": RestartsConfig,
    f"{_MODULE}.OneCycleSchedule": OneCycleConfig,
}
