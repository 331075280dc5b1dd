"""What several seeds say of a number: its mean, and how well that is known."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from experiments.config.kinds.objective import UNBOUNDED

CONFIDENCE = 0.95


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What several seeds say of a metric.

    Attributes:
        count: Seeds that have a finite value.
        mean: Of these; `None` without any.
        margin: What Student's interval adds to the mean and takes from it; `None` for
            fewer than two values, which say nothing of their spread.
        bounds: What a mean of this metric can be at all.
    """

    count: int
    mean: float | None = None
    margin: float | None = None
    bounds: tuple[float, float] = UNBOUNDED

    @property
    def interval(self) -> tuple[float, float] | None:
        """The interval, as far as the metric goes; `None` without a margin."""
        if self.mean is None or self.margin is None:
            return None
        least, most = self.bounds
        return max(self.mean - self.margin, least), min(self.mean + self.margin, most)

    def __str__(self) -> str:
        if self.interval is None:
            return "-"
        low, high = self.interval
        return f"{low:.4f} to {high:.4f}"


def estimate(
    values: Sequence[float | None], *, bounds: tuple[float, float] = UNBOUNDED
) -> Estimate:
    """Returns mean and interval of a metric over seeds.

    With n finite values x of mean m, the standard deviation of the sample is
    s = sqrt(sum((x - m) ** 2) / (n - 1)), and the interval is

        m +/- t * s / sqrt(n)

    where t is the 0.975 quantile of Student's distribution with n - 1 degrees of
    freedom: 12.71 for two seeds, 4.30 for three, 2.78 for five. If the values are drawn
    from one normal distribution, such an interval holds its mean in 95 % of all sweeps.

    An accuracy ends at 1, and the interval of two seeds often does not. It is cut
    there: what is cut off is no accuracy, so that the interval holds the mean exactly
    as often as before. The margin, by which it was computed, is kept.

    Args:
        values: One a seed; those that are missing or not finite do not count.
        bounds: Smallest and largest value of the metric, see `objective.find_bounds`.
            They do not hold for values that lie outside: a metric of one's own may
            count percents.

    Reference:
        Student, The probable error of a mean, Biometrika 6 (1908).
    """
    found = [x for x in values if x is not None and math.isfinite(x)]
    if not found:
        return Estimate(count=0)
    mean = statistics.fmean(found)
    if len(found) == 1:
        return Estimate(count=1, mean=mean)
    if not all(bounds[0] <= x <= bounds[1] for x in found):
        bounds = UNBOUNDED
    from scipy.special import stdtrit

    quantile = float(stdtrit(len(found) - 1, (1 + CONFIDENCE) / 2))
    margin = quantile * statistics.stdev(found, mean) / math.sqrt(len(found))
    return Estimate(count=len(found), mean=mean, margin=margin, bounds=bounds)
