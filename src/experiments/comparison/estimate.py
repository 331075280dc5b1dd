"""What several seeds say of a number: its mean, and how well that is known."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

CONFIDENCE = 0.95


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What several seeds say of a metric.

    Attributes:
        count: Seeds that have a finite value.
        mean: Of these; `None` without any.
        margin: What the interval adds to the mean and takes from it; `None` for fewer
            than two values, which say nothing of their spread.
    """

    count: int
    mean: float | None = None
    margin: float | None = None

    def __str__(self) -> str:
        if self.mean is None or self.margin is None:
            return "-"
        low, high = self.mean - self.margin, self.mean + self.margin
        return f"{low:.4f} to {high:.4f}"


def estimate(values: Sequence[float | None]) -> Estimate:
    """Returns mean and interval of a metric over seeds.

    With n finite values x of mean m, the standard deviation of the sample is
    s = sqrt(sum((x - m) ** 2) / (n - 1)), and the interval is

        m +/- t * s / sqrt(n)

    where t is the 0.975 quantile of Student's distribution with n - 1 degrees of
    freedom: 12.71 for two seeds, 4.30 for three, 2.78 for five. If the values are drawn
    from one normal distribution, such an interval holds its mean in 95 % of all sweeps.

    Args:
        values: One a seed; those that are missing or not finite do not count.

    Reference:
        Student, The probable error of a mean, Biometrika 6 (1908).
    """
    found = [x for x in values if x is not None and math.isfinite(x)]
    if not found:
        return Estimate(count=0)
    mean = statistics.fmean(found)
    if len(found) == 1:
        return Estimate(count=1, mean=mean)
    from scipy.special import stdtrit

    quantile = float(stdtrit(len(found) - 1, (1 + CONFIDENCE) / 2))
    margin = quantile * statistics.stdev(found, mean) / math.sqrt(len(found))
    return Estimate(count=len(found), mean=mean, margin=margin)
