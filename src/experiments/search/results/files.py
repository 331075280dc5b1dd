"""The results of a search as files: CSV, Markdown and a summary for YAML."""

import csv
import io
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from experiments.config.kinds.objective import Objective
from experiments.search.results.columns import Column, collect_columns, format_value
from experiments.search.results.importance import tell_importance
from experiments.search.results.table import build_table
from experiments.search.trials.trial import Outcome, Scalar, Trial, rank_trials

_TOP = 5
_NOTHING = Outcome(end="failed", attempts=0)  # of a trial that still runs
_FIRST = ("number", "rank", "state")
_LAST = ("epochs", "seconds", "attempts")
_REPEATS = ("repeats_mean", "repeats_std", "repeats_count")
_END = ("reason", "run_id", "overrides")


def format_csv(trials: Sequence[Trial], objective: Objective) -> str:
    """Returns all that is known of each trial, with full precision.

    Args:
        trials: In any order; the rows are in the order of their numbers.
        objective: What is compared.

    Returns:
        One row a trial. A parameter with the name of another column is called
        `parameter <name>`; the columns of repeats are there when a trial has any.
    """
    trials = _by_number(trials)
    columns = collect_columns(trials)
    repeats = any(trial.outcome and trial.outcome.repeats for trial in trials)
    ranks = {t.number: r for r, t in enumerate(rank_trials(trials, objective), start=1)}
    rows = [_csv_head(columns, objective.name, repeats=repeats)]
    for index, trial in enumerate(trials):
        row = [str(trial.number), str(ranks.get(trial.number, "")), trial.state]
        row += [_exact(trial.objective)]
        row += [_exact(column.values[index]) for column in columns]
        rows.append(row + _csv_outcome(trial, repeats=repeats))
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def format_markdown(trials: Sequence[Trial], objective: Objective) -> str:
    """Returns a table to read: the best first, failures last with their reason.

    Args:
        trials: In any order.
        objective: What is compared.
    """
    rows = build_table(trials, objective)
    rule = ["--:"] * (len(rows[0]) - 1) + [":--"]
    lines = ["| " + " | ".join(map(_cell, row)) + " |" for row in rows]
    lines.insert(1, "| " + " | ".join(rule) + " |")
    return "\n".join(lines) + "\n"


def summarise(
    trials: Sequence[Trial],
    *,
    objective: Objective,
    oracle: str,
    best_overrides: Sequence[str],
) -> dict[str, Any]:
    """Returns the outcome of a search as plain data, for `optimization_results.yaml`.

    Args:
        trials: In any order.
        objective: What is compared.
        oracle: Name of what proposed the trials.
        best_overrides: What to type to get the best trial again.
    """
    ranked = rank_trials(trials, objective)
    outcomes = [trial.outcome for trial in trials if trial.outcome is not None]
    best = (
        {**_describe(ranked[0]), "overrides": list(best_overrides)} if ranked else None
    )
    return {
        "oracle": oracle,
        "objective": asdict(objective),
        "trials": dict(sorted(Counter(trial.state for trial in trials).items())),
        "epochs": _count_epochs(trials),
        "seconds": float(sum(outcome.seconds for outcome in outcomes)),
        "best": best,
        "top": [_describe(trial) for trial in ranked[:_TOP]],
        "importances": tell_importance(trials),
    }


def _count_epochs(trials: Sequence[Trial]) -> int:
    """Returns how many epochs were trained; those of a continued trial count once."""
    reached = {t.number: t.outcome.epochs for t in trials if t.outcome is not None}
    total = 0
    for trial in trials:
        parent = trial.proposal.parent
        before = 0 if parent is None else reached.get(parent, 0)
        # A continuation that failed before its first epoch has reached nothing.
        total += max(0, reached.get(trial.number, 0) - before)
    return total


def _describe(trial: Trial) -> dict[str, Any]:
    outcome = trial.outcome or _NOTHING
    return {
        "number": trial.number,
        "objective": None if trial.objective is None else float(trial.objective),
        "values": dict(trial.proposal.values),
        "overrides": list(trial.overrides),
        "run_id": outcome.run_id,
        "epochs": outcome.epochs,
    }


def _csv_head(columns: Sequence[Column], objective: str, *, repeats: bool) -> list[str]:
    first = [*_FIRST, f"objective ({objective})"]
    last = [*_LAST, *(_REPEATS if repeats else ()), *_END]
    taken = {*first, *last}
    names = [f"parameter {c.name}" if c.name in taken else c.name for c in columns]
    return [*first, *names, *last]


def _csv_outcome(trial: Trial, *, repeats: bool) -> list[str]:
    outcome = trial.outcome or _NOTHING
    cells = [str(outcome.epochs), _exact(outcome.seconds), str(outcome.attempts)]
    if repeats:
        cells += _repeat_cells(outcome.repeats)
    overrides = " ".join(trial.overrides)
    return [*cells, outcome.reason or "", outcome.run_id or "", overrides]


def _repeat_cells(repeats: Sequence[float]) -> list[str]:
    """Returns mean, sample standard deviation (of two or more) and count."""
    if not repeats:
        return ["", "", ""]
    mean = statistics.fmean(repeats)
    spread = statistics.stdev(repeats) if len(repeats) > 1 else None
    return [_exact(mean), _exact(spread), str(len(repeats))]


def _by_number(trials: Sequence[Trial]) -> list[Trial]:
    return sorted(trials, key=lambda trial: trial.number)


def _exact(value: Scalar | None) -> str:
    return "" if value is None else format_value(value)


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
