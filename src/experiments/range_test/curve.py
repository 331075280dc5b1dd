"""The loss of a training over its rising rates."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

_DIVERGED = 4.0  # times the least loss, as fastai has it


@dataclass(frozen=True, kw_only=True)
class Curve:
    """What one training at rising rates gave; it ends where it diverged.

    Attributes:
        seed: What it was trained with.
        rates: Of each step, rising.
        losses: Of each step; finite, the last one may not be.
        smoothing: Weight of the past in the smoothed losses, 0 to below 1.
    """

    seed: int
    rates: tuple[float, ...]
    losses: tuple[float, ...]
    smoothing: float

    def as_dict(self) -> dict[str, Any]:
        """Returns it as plain data; a loss that is no number as `None`."""
        return {
            "seed": self.seed,
            "rates": list(self.rates),
            "losses": [loss if math.isfinite(loss) else None for loss in self.losses],
            "smoothing": self.smoothing,
        }

    @property
    def smoothed(self) -> list[float]:
        """A moving average of the losses, corrected for its beginning at 0."""
        return smooth(self.losses, self.smoothing)

    @property
    def diverged(self) -> bool:
        """Whether the training was given up before its last rate, or at it."""
        return has_diverged(self.smoothed)

    @property
    def lowest(self) -> int:
        """The step with the least smoothed loss, where one is finite."""
        return _find_least(self.smoothed)

    @property
    def steepest(self) -> int:
        """The step before that at which the smoothed loss falls fastest.

        By a tenth of the steps around it: single ones are noise. The first tenth is
        left out, where few losses make the average.
        """
        smoothed, around = self.smoothed[: self.lowest + 1], len(self.losses) // 20 or 1
        if len(smoothed) <= 4 * around:
            return self.lowest
        falls = [
            after - before
            for before, after in zip(smoothed, smoothed[2 * around :], strict=False)
        ]
        return 2 * around + _find_least(falls[around:])

    @property
    def fall(self) -> float:
        """Share of the first losses by which the smoothed loss falls."""
        smoothed = self.smoothed
        if not math.isfinite(smoothed[self.lowest]):
            return 0.0
        # A tenth of the steps, at rates that change nothing yet.
        first = self.losses[: max(len(self.losses) // 10, 1)]
        start = sum(first) / len(first)
        return (start - smoothed[self.lowest]) / abs(start) if start else 0.0


def smooth(losses: Sequence[float], smoothing: float) -> list[float]:
    """Returns the moving average of each step, corrected for its beginning at 0."""
    average, smoothed = 0.0, []
    for step, loss in enumerate(losses, start=1):
        average = smoothing * average + (1 - smoothing) * loss
        smoothed.append(average / (1 - smoothing**step))
    return smoothed


def has_diverged(smoothed: Sequence[float]) -> bool:
    """Tells whether the last of the smoothed losses is that of a lost training."""
    last = smoothed[-1]
    if not math.isfinite(last):
        return True
    return last > smoothed[0] and last > _DIVERGED * min(smoothed)


def _find_least(values: Sequence[float]) -> int:
    places = [place for place, value in enumerate(values) if math.isfinite(value)]
    return min(places, key=lambda place: values[place], default=0)
