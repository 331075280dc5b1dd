"""What rate the curves of several seeds speak for, or why none."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from experiments.counts import format_share
from experiments.range_test.curve import Curve

_FLAT = 0.05  # share of the loss; less is as much noise as learning
_SOON = 0.25  # share of the range, on a logarithmic scale
_APART = 10.0  # rates of the seeds, the highest over the lowest


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """The rates that two rules find, and what is proposed.

    Attributes:
        steepest: For each seed the rate at which the loss falls fastest.
        below_lowest: For each seed a tenth of the rate with the least loss.
        rate: What is proposed, of two digits; `None` for nothing.
        reason: Why nothing is proposed.
    """

    steepest: tuple[float, ...]
    below_lowest: tuple[float, ...]
    rate: float | None = None
    reason: str | None = None

    @property
    def override(self) -> str | None:
        """What is typed to train with it."""
        return None if self.rate is None else f"optimizer.lr={write_rate(self.rate)}"

    def describe(self) -> dict[str, str]:
        """Returns both rules in words: title -> rates."""
        rows = {"steepest": self.steepest, "lowest / 10": self.below_lowest}
        return {name: _describe(rates) for name, rates in rows.items()}

    def as_dict(self) -> dict[str, Any]:
        """Returns it as plain data."""
        return {
            "proposal": self.override,
            "reason": self.reason,
            "lr": self.rate,
            "steepest": list(self.steepest),
            "lowest_over_10": list(self.below_lowest),
        }


def propose(curves: Sequence[Curve], *, lowest: float, highest: float) -> Proposal:
    """Judges the curves.

    Both rules are asked of each seed. What is proposed lies between the two, at their
    geometric mean over all seeds: the steepest fall is where learning is fastest, and
    a tenth of the least loss's rate is well before it goes wrong.

    Args:
        curves: One a seed.
        lowest: The first rate.
        highest: The last one.

    Reference:
        Smith, Cyclical Learning Rates, 2017, section 3.3; the two rules are those of
        fastai's `lr_find`.
    """
    steepest = tuple(curve.rates[curve.steepest] for curve in curves)
    below = tuple(curve.rates[curve.lowest] / 10 for curve in curves)
    reason = _find_reason(curves, lowest=lowest, highest=highest)
    if reason is None:
        reason = _find_disagreement(steepest, below)
    rate = None
    if reason is None:
        middle = statistics.geometric_mean([*steepest, *below])
        rate = float(f"{middle:.1e}")
    return Proposal(steepest=steepest, below_lowest=below, rate=rate, reason=reason)


def write_rate(rate: float) -> str:
    """Returns a rate as people type it: `3.1e-4`, `0.02`."""
    if 1e-3 <= rate < 1e4:
        return f"{rate:g}"
    digits, _, power = f"{rate:.1e}".partition("e")
    return f"{float(digits):g}e{int(power)}"


def _find_reason(
    curves: Sequence[Curve], *, lowest: float, highest: float
) -> str | None:
    """Returns what keeps each curve from telling anything."""
    soon = _SOON * math.log(highest / lowest)
    early = sum(c.diverged and math.log(c.rates[-1] / lowest) < soon for c in curves)
    if early:
        return (
            f"{_count(early, curves)} diverged among the first rates. Lower "
            f"task.lowest={write_rate(lowest)}."
        )
    flat = [curve for curve in curves if curve.fall < _FLAT]
    if flat:
        most = max(max(curve.fall for curve in flat), 0.0)
        return (
            f"the loss of {_count(len(flat), curves)} fell by {format_share(most, 1)} "
            f"at most, which is no more than noise. Raise task.steps, or "
            f"task.highest={write_rate(highest)} where it has not diverged."
        )
    rising = sum(not c.diverged and c.lowest >= len(c.losses) - 2 for c in curves)
    if rising:
        return (
            f"the loss of {_count(rising, curves)} still falls at the highest rate. "
            f"Raise task.highest={write_rate(highest)}."
        )
    return None


def _find_disagreement(*rules: Sequence[float]) -> str | None:
    """Returns where the seeds disagree."""
    for name, rates in zip(("steepest fall", "least loss"), rules, strict=True):
        if max(rates) > _APART * min(rates):
            return (
                f"the curves disagree: by the {name} the seeds say "
                f"{', '.join(map(_round, rates))}. Raise task.steps or task.seeds, or "
                "trainer.batch_size."
            )
    return None


def _describe(rates: Sequence[float]) -> str:
    if len(rates) == 1:
        return _round(rates[0])
    middle = statistics.geometric_mean(rates)
    return f"{_round(middle)}, by the seeds {', '.join(map(_round, rates))}"


def _round(rate: float) -> str:
    return write_rate(float(f"{rate:.1e}")) if math.isfinite(rate) else str(rate)


def _count(some: int, curves: Sequence[Curve]) -> str:
    return f"{some} of {len(curves)} seeds" if len(curves) > 1 else "the only seed"
