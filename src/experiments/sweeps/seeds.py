"""Jobs of a sweep that differ in their seed alone, as one row: mean and interval."""

import math
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from experiments.config.objective import Objective
from experiments.jobs.job import JobResult
from experiments.sweeps.table import (
    format_short,
    list_test_metrics,
    read_override,
    read_value,
    write_table,
)

SEED = "seed"
CONFIDENCE = 0.95
_NOTE = (
    "Each row: the mean over n seeds, and Student's 95 % interval of the mean. Each "
    "seed by itself: sweep/results.csv"
)


@dataclass(frozen=True, kw_only=True)
class Group:
    """Jobs of a sweep that have all but the seed in common.

    Attributes:
        values: What each of the other swept keys is set to.
        results: One a seed.
    """

    values: tuple[str, ...]
    results: tuple[JobResult, ...]


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


def group_seeds(
    results: Sequence[JobResult], swept_keys: Sequence[str], objective: Objective
) -> list[Group]:
    """Returns the jobs by what they have in common, the best mean first.

    Args:
        results: In any order, which decides between equals.
        swept_keys: What differs between them, `seed` among it.
        objective: What is compared; groups without a finite value come last.
    """
    found: dict[tuple[str, ...], list[JobResult]] = {}
    keys = list_others(swept_keys)
    for result in results:
        values = tuple(read_override(result, key) for key in keys)
        found.setdefault(values, []).append(result)
    groups = [Group(values=k, results=tuple(jobs)) for k, jobs in found.items()]
    means = [_estimate_objective(group, objective).mean for group in groups]
    order = objective.rank(means)
    rest = [index for index in range(len(groups)) if index not in order]
    return [groups[index] for index in (*order, *rest)]


def list_others(swept_keys: Sequence[str]) -> list[str]:
    """Returns the swept keys beside the seed."""
    return [key for key in swept_keys if key != SEED]


def format_groups(
    groups: Sequence[Group], objective: Objective, swept_keys: Sequence[str]
) -> str:
    """Returns a table to read: n, mean, interval, mean test metrics and statuses.

    Args:
        groups: In the order of the rows.
        objective: What is compared.
        swept_keys: What differs between all jobs.
    """
    keys = list_others(swept_keys)
    metrics = list_test_metrics([r for group in groups for r in group.results])
    rows = [["#", *keys, "n", objective.name, "95 % interval", *metrics, "status"]]
    for rank, group in enumerate(groups, start=1):
        of_objective = _estimate_objective(group, objective)
        row = [str(rank), *group.values, str(of_objective.count)]
        row += [format_short(of_objective.mean), str(of_objective)]
        for name in metrics:
            of_metric = estimate([r.metrics.get(name) for r in group.results])
            row.append(format_short(of_metric.mean))
        rows.append([*row, _describe_status(group)])
    rule = ["--:", *[":--"] * len(keys), *["--:"] * (3 + len(metrics)), ":--"]
    return f"{write_table(rows, rule)}\n{_NOTE}\n"


def _estimate_objective(group: Group, objective: Objective) -> Estimate:
    return estimate([read_value(result, objective) for result in group.results])


def _describe_status(group: Group) -> str:
    """Returns how the jobs of a group ended, with the reason of one that failed."""
    counts = Counter(result.status for result in group.results)
    reasons = [r.reason for r in group.results if r.status != "FINISHED" and r.reason]
    status: str = group.results[0].status
    if len(counts) > 1:
        status = ", ".join(f"{count} {name}" for name, count in counts.items())
    return f"{status}: {reasons[0]}" if reasons else status
