"""The learning rates of a training, asked of the schedules that it would follow."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from experiments.counts import count_of
from experiments.inspection.spread import spread

_MOST_STEPS, _MOST_EPOCHS = 400, 100


@dataclass(frozen=True, kw_only=True)
class Rates:
    """Learning rates over the steps and epochs.

    Attributes:
        steps: Step, counted from 0 over all epochs -> its rate; of many some,
            evenly apart, with the first and the last.
        epochs: Number of an epoch, from 1 on -> the rate of its last step, which is
            what a run records as `lr`; likewise.
        steps_per_epoch: Steps of an epoch.
    """

    steps: Mapping[int, float]
    epochs: Mapping[int, float]
    steps_per_epoch: int

    @property
    def first(self) -> float:
        """Rate of the first step."""
        return self.steps[0]

    @property
    def last(self) -> float:
        """Rate of the last step."""
        return self.steps[max(self.steps)]

    @property
    def peak(self) -> tuple[int, float]:
        """The first step with the highest rate that is known, and that rate."""
        step = max(self.steps, key=lambda step: self.steps[step])
        return step, self.steps[step]

    def describe(self) -> str:
        """Returns the first, highest and last rate in a sentence."""
        count = count_of(max(self.steps) + 1, "step")
        if len({*self.steps.values()}) == 1:
            return f"{self.first:.3g} in each of {count}"
        step, peak = self.peak
        return (
            f"{self.first:.3g} at first, {peak:.3g} at its peak in "
            f"epoch {1 + step // self.steps_per_epoch}, "
            f"{self.last:.3g} in the last of {count}"
        )


def list_rates(
    rate_at: Callable[[int], float], *, steps_per_epoch: int, epochs: int
) -> Rates:
    """Asks for the rates of a training.

    Args:
        rate_at: Tells the rate of a step, counted from 0 over all epochs.
        steps_per_epoch: Steps of an epoch.
        epochs: Of the training.
    """
    total = steps_per_epoch * epochs
    ends = {1 + n: (1 + n) * steps_per_epoch - 1 for n in spread(epochs, _MOST_EPOCHS)}
    begins = {end + 1 - steps_per_epoch for end in ends.values()}
    wanted = sorted({*spread(total, _MOST_STEPS), *begins, *ends.values()})
    steps = {step: rate_at(step) for step in wanted}
    return Rates(
        steps=steps,
        epochs={number: steps[step] for number, step in ends.items()},
        steps_per_epoch=steps_per_epoch,
    )
