"""The results of a sweep as a table, the best first."""

import csv
import io
import math
from collections.abc import Sequence
from typing import Literal

from experiments.config.job import JobResult

Mode = Literal["max", "min"]


def sort_results(results: Sequence[JobResult], mode: Mode) -> list[JobResult]:
    """Returns the results from best to worst; those without an objective come last.

    Args:
        results: In any order, which decides between equals.
        mode: Whether a larger (`max`) or smaller (`min`) objective is better.
    """
    sign = -1.0 if mode == "max" else 1.0

    def rank(result: JobResult) -> tuple[bool, float]:
        usable = has_objective(result)
        return not usable, sign * (result.objective or 0.0) if usable else 0.0

    return sorted(results, key=rank)


def has_objective(result: JobResult) -> bool:
    """Tells whether a job ended with a number to compare."""
    return result.objective is not None and math.isfinite(result.objective)


def format_csv(results: Sequence[JobResult], monitor: str) -> str:
    """Returns all that is known of each job, with full precision.

    Args:
        results: In the order of the rows.
        monitor: Name of the objective.
    """
    metrics = _metric_names(results)
    head = ["rank", "name", "status", f"objective ({monitor})", *metrics]
    rows = [[*head, "reason", "run_id", "overrides"]]
    for rank, result in enumerate(results, start=1):
        row = [str(rank), result.name, result.status, _number(result.objective)]
        row += [_number(result.metrics.get(name)) for name in metrics]
        row += [result.reason or "", result.run_id or "", " ".join(result.overrides)]
        rows.append(row)
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def format_markdown(results: Sequence[JobResult], monitor: str) -> str:
    """Returns a table to read: objective, test metrics, status and reason.

    Args:
        results: In the order of the rows.
        monitor: Name of the objective.
    """
    metrics = [name for name in _metric_names(results) if name.startswith("test_")]
    rows = [["#", "run", monitor, *metrics, "status"]]
    for rank, result in enumerate(results, start=1):
        row = [str(rank), result.name, _short(result.objective)]
        row += [_short(result.metrics.get(name)) for name in metrics]
        reason = f": {result.reason}" if result.reason else ""
        rows.append([*row, f"{result.status}{reason}"])
    rule = ["--:", ":--", *["--:"] * (len(metrics) + 1), ":--"]
    lines = ["| " + " | ".join(map(_cell, row)) + " |" for row in rows]
    lines.insert(1, "| " + " | ".join(rule) + " |")
    return "\n".join(lines) + "\n"


def _metric_names(results: Sequence[JobResult]) -> list[str]:
    return list(dict.fromkeys(name for result in results for name in result.metrics))


def _number(value: float | None) -> str:
    return "" if value is None else repr(float(value))


def _short(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
