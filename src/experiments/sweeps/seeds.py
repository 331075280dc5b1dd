"""Jobs of a sweep that differ in their seed or fold alone, as one row.

Of seeds it has the mean and its interval, of folds the mean and the standard deviation.
"""

import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from experiments.command.sweeping.folds import FOLD
from experiments.comparison.estimate import Estimate, estimate
from experiments.comparison.settings import SEED
from experiments.config.kinds.objective import Objective, find_bounds
from experiments.jobs.job import JobResult
from experiments.sweeps.table import (
    format_short,
    list_test_metrics,
    read_override,
    read_value,
    write_table,
)

REPEATS = (SEED, FOLD)
_NOTE = (
    "Each row: the mean over n seeds, and Student's 95 % interval of the mean. Each "
    "seed by itself: sweep/results.csv"
)

_NOTE_ON_FOLDS = (
    "Each row: the mean over n jobs ± the standard deviation over their folds. Folds "
    "share training images, so that no interval follows from it. Each job by itself: "
    "sweep/results.csv"
)


@dataclass(frozen=True, kw_only=True)
class Group:
    """Jobs of a sweep that have all in common but seed and fold.

    Attributes:
        values: What each of the other swept keys is set to.
        results: One a seed and fold.
    """

    values: tuple[str, ...]
    results: tuple[JobResult, ...]


def group_seeds(
    results: Sequence[JobResult], swept_keys: Sequence[str], objective: Objective
) -> list[Group]:
    """Returns the jobs by what they have in common, the best mean first.

    Args:
        results: In any order, which decides between equals.
        swept_keys: What differs between them, `seed` or the fold among it.
        objective: What is compared; groups without a finite value come last.
    """
    groups = group_results(results, list_others(swept_keys))
    means = [_estimate_objective(group, objective).mean for group in groups]
    order = objective.rank(means)
    rest = [index for index in range(len(groups)) if index not in order]
    return [groups[index] for index in (*order, *rest)]


def group_results(results: Sequence[JobResult], keys: Sequence[str]) -> list[Group]:
    """Returns the jobs by what they set some keys to, in their order."""
    found: dict[tuple[str, ...], list[JobResult]] = {}
    for result in results:
        values = tuple(read_override(result, key) for key in keys)
        found.setdefault(values, []).append(result)
    return [Group(values=k, results=tuple(jobs)) for k, jobs in found.items()]


def are_repeated(swept_keys: Sequence[str]) -> bool:
    """Tells whether a sweep trains its settings with several seeds or folds."""
    return any(key in REPEATS for key in swept_keys)


def list_others(swept_keys: Sequence[str]) -> list[str]:
    """Returns the swept keys beside seed and fold."""
    return [key for key in swept_keys if key not in REPEATS]


def format_groups(
    groups: Sequence[Group], objective: Objective, swept_keys: Sequence[str]
) -> str:
    """Returns a table to read: n, mean, spread, test metrics and statuses.

    The spread is the interval over seeds. Over folds, which share most of their
    training images, none is known (Bengio and Grandvalet 2004): there, it is the
    standard deviation.

    Args:
        groups: In the order of the rows.
        objective: What is compared.
        swept_keys: What differs between all jobs.
    """
    keys = list_others(swept_keys)
    metrics = list_test_metrics([r for group in groups for r in group.results])
    if FOLD in swept_keys:
        return _format_folds(groups, objective, keys, metrics)
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


def _format_folds(
    groups: Sequence[Group],
    objective: Objective,
    keys: Sequence[str],
    metrics: Sequence[str],
) -> str:
    rows = [["#", *keys, "n", objective.name, *metrics, "status"]]
    for rank, group in enumerate(groups, start=1):
        own = [read_value(result, objective) for result in group.results]
        row = [str(rank), *group.values, str(estimate(own).count)]
        row.append(_write_spread(group, own))
        for name in metrics:
            values = [result.metrics.get(name) for result in group.results]
            row.append(_write_spread(group, values))
        rows.append([*row, _describe_status(group)])
    rule = ["--:", *[":--"] * len(keys), *["--:"] * (2 + len(metrics)), ":--"]
    return f"{write_table(rows, rule)}\n{_NOTE_ON_FOLDS}\n"


def _write_spread(group: Group, values: Sequence[float | None]) -> str:
    """Returns mean and standard deviation over folds, of each the mean over its seeds.

    Args:
        group: Jobs.
        values: Of a metric, one a job.
    """
    by_fold: dict[str, list[float | None]] = {}
    for result, value in zip(group.results, values, strict=True):
        by_fold.setdefault(read_override(result, FOLD), []).append(value)
    means = [m for v in by_fold.values() if (m := estimate(v).mean) is not None]
    if len(means) < 2:
        return format_short(means[0] if means else None)
    return f"{statistics.fmean(means):.4f} ± {statistics.stdev(means):.4f}"


def _estimate_objective(group: Group, objective: Objective) -> Estimate:
    values = [read_value(result, objective) for result in group.results]
    return estimate(values, bounds=find_bounds(objective.name))


def _describe_status(group: Group) -> str:
    """Returns how the jobs of a group ended, with the reason of one that failed."""
    counts = Counter(result.status for result in group.results)
    reasons = [r.reason for r in group.results if r.status != "FINISHED" and r.reason]
    status: str = group.results[0].status
    if len(counts) > 1:
        status = ", ".join(f"{count} {name}" for name, count in counts.items())
    return f"{status}: {reasons[0]}" if reasons else status
