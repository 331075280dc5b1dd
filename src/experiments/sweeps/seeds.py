"""Jobs of a sweep that differ in their seed alone, as one row: mean and interval."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from experiments.comparison.estimate import Estimate, estimate
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
