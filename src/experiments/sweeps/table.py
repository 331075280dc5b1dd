"""The results of a sweep as a table, the best first."""

import csv
import io
from collections.abc import Sequence

from experiments.config.kinds.metric_names import TEST, name_best
from experiments.config.kinds.objective import Objective
from experiments.jobs.job import JobResult


def sort_results(results: Sequence[JobResult], objective: Objective) -> list[JobResult]:
    """Returns the results from best to worst; those without an objective come last.

    Args:
        results: In any order, which decides between equals.
        objective: What is compared.
    """
    order = objective.rank([read_value(result, objective) for result in results])
    rest = [index for index in range(len(results)) if index not in order]
    return [results[index] for index in (*order, *rest)]


def best_result(
    results: Sequence[JobResult], objective: Objective
) -> tuple[JobResult, float] | None:
    """Returns the best result and its value; `None` where no job has one."""
    values = [read_value(result, objective) for result in results]
    best = objective.best(values)
    return None if best is None else (results[best], float(values[best] or 0.0))


def read_value(result: JobResult, objective: Objective) -> float | None:
    """Returns what of a job is compared; a sweep may vary what its jobs monitor."""
    return result.metrics.get(name_best(objective.name), result.objective)


def format_csv(results: Sequence[JobResult], objective: Objective) -> str:
    """Returns all that is known of each job, with full precision.

    Args:
        results: In the order of the rows.
        objective: What is compared.
    """
    metrics = _metric_names(results)
    head = ["rank", "name", "status", f"objective ({objective.name})", *metrics]
    rows = [[*head, "reason", "run_id", "overrides"]]
    for rank, result in enumerate(results, start=1):
        row = [
            str(rank),
            result.name,
            result.status,
            _number(read_value(result, objective)),
        ]
        row += [_number(result.metrics.get(name)) for name in metrics]
        row += [result.reason or "", result.run_id or "", " ".join(result.overrides)]
        rows.append(row)
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def format_markdown(
    results: Sequence[JobResult], objective: Objective, keys: Sequence[str] = ()
) -> str:
    """Returns a table to read: objective, test metrics, status and reason.

    Args:
        results: In the order of the rows.
        objective: What is compared.
        keys: What differs between the jobs, a column each; without any their names
            tell it.
    """
    metrics = list_test_metrics(results)
    rows = [["#", *(keys or ["run"]), objective.name, *metrics, "status"]]
    for rank, result in enumerate(results, start=1):
        named = [read_override(result, key) for key in keys] or [result.name]
        row = [str(rank), *named, format_short(read_value(result, objective))]
        row += [format_short(result.metrics.get(name)) for name in metrics]
        reason = f": {result.reason}" if result.reason else ""
        rows.append([*row, f"{result.status}{reason}"])
    words = [":--"] * (len(keys) or 1)
    return write_table(rows, ["--:", *words, *["--:"] * (len(metrics) + 1), ":--"])


def write_table(rows: Sequence[Sequence[str]], rule: Sequence[str]) -> str:
    """Returns a table in Markdown.

    Args:
        rows: Of cells; the first one is the head.
        rule: How each column is aligned: `--:` or `:--`.
    """
    lines = ["| " + " | ".join(map(_cell, row)) + " |" for row in rows]
    lines.insert(1, "| " + " | ".join(rule) + " |")
    return "\n".join(lines) + "\n"


def list_test_metrics(results: Sequence[JobResult]) -> list[str]:
    """Returns the metrics of the test set that any of the jobs has."""
    return [name for name in _metric_names(results) if name.startswith(TEST)]


def read_override(result: JobResult, key: str) -> str:
    """Returns what a job sets a key to; empty where it leaves it as it is."""
    words = (word.lstrip("+").partition("=") for word in result.overrides)
    return next((value for name, _, value in words if name == key), "")


def format_short(value: float | None) -> str:
    """Returns a number as it stands in a table; `-` for none."""
    return "-" if value is None else f"{value:.4f}"


def _metric_names(results: Sequence[JobResult]) -> list[str]:
    return list(dict.fromkeys(name for result in results for name in result.metrics))


def _number(value: float | None) -> str:
    return "" if value is None else repr(float(value))


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
