"""The trials of a search as a table to read."""

import statistics
from collections.abc import Mapping, Sequence
from datetime import timedelta

from experiments.config.kinds.objective import Objective
from experiments.search.results.columns import collect_columns, format_value
from experiments.search.trials.trial import (
    Outcome,
    Scalar,
    Trial,
    rank_trials,
    score_proposals,
)

_NOTHING = Outcome(end="failed", attempts=0)  # of a trial that still runs


def build_table(trials: Sequence[Trial], objective: Objective) -> list[list[str]]:
    """Returns the cells of a table to read, the head first, not escaped.

    Args:
        trials: In any order; the best becomes the first row. Those without an objective
            come last, in the order of their numbers.
        objective: What is compared.
    """
    ranked = rank_trials(trials, objective)
    by_number = sorted(trials, key=lambda trial: trial.number)
    rest = [trial for trial in by_number if trial.objective is None]
    names = [column.name for column in collect_columns(by_number)]
    means = score_proposals(trials)
    rows = [["#", "trial", objective.name, *names, "epochs", "time", "state"]]
    for rank, trial in enumerate([*ranked, *rest], start=1):
        outcome = trial.outcome or _NOTHING
        values = [_short(trial.proposal.values.get(name)) for name in names]
        place = str(rank) if trial.objective is not None else "-"
        reason = outcome.reason or ""
        # A pruner's reason says so itself.
        state = trial.state if not reason.startswith(trial.state) else ""
        row = [place, str(trial.number), _judge(trial, means), *values]
        row += [str(outcome.epochs), str(timedelta(seconds=round(outcome.seconds)))]
        rows.append([*row, ": ".join(filter(None, (state, reason)))])
    return rows


def format_objective(trial: Trial) -> str:
    """Returns the objective to read, with the deviation and number of its repeats."""
    if trial.objective is None:
        return "-"
    repeats = trial.outcome.repeats if trial.outcome else ()
    if len(repeats) < 2:
        return format_number(trial.objective)
    spread = format_number(statistics.stdev(repeats))
    return f"{format_number(trial.objective)} ± {spread} ({len(repeats)})"


def _judge(trial: Trial, means: Mapping[int, float]) -> str:
    """Returns the objective, and the mean that counts where other seeds were tried."""
    text = format_objective(trial)
    mean = means.get(trial.number)
    return (
        text if mean == trial.objective else f"{text} (mean {format_number(mean or 0)})"
    )


def format_number(value: float) -> str:
    """Returns four decimals, or four digits where those would show nothing."""
    fixed = value == 0.0 or 1e-3 <= abs(value) < 1e6
    return f"{value:.4f}" if fixed else f"{value:.4g}"


def _short(value: Scalar | None) -> str:
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else format_value(value)
