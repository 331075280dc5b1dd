"""One trial of a search: what was proposed and what came of it."""

import statistics
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from experiments.config.kinds.objective import Objective
from experiments.shapes import Count
from experiments.workers.report import Failure

Scalar = str | int | float | bool
End = Literal["complete", "paused", "pruned", "failed"]
_SEED = "seed"  # the key that makes no other proposal


@dataclass(frozen=True, kw_only=True, slots=True)
class Proposal:
    """What an oracle wants to know.

    Attributes:
        number: Of the trial, from 0 on.
        values: Parameter -> value; parameters whose condition does not hold are absent.
        epochs: Epoch after which the trial pauses; `None` for all of them.
        parent: Number of the trial that this one continues; `None` for a new one.
    """

    number: int
    values: Mapping[str, Scalar]
    epochs: int | None = None
    parent: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """How a trial ended.

    Attributes:
        end: `complete` or, with an objective all the same, `paused` after the epochs
            that were asked for or `pruned` as hopeless; else `failed`.
        objective: The value to compare, finite; `None` when the trial failed.
        failure: What kind of failure it was.
        reason: Why it was pruned or has failed, one line.
        metrics: Final metrics by name.
        epochs: Completed epochs.
        seconds: Wall-clock time, retries included.
        attempts: How often it was started.
        run_id: Its run in the tracker.
        folders: Its folder, absolute; one for each seed.
        repeats: Objective of each seed, when there are several.
    """

    end: End
    objective: float | None = None
    failure: Failure | None = None
    reason: str | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    epochs: Count = 0
    seconds: float = 0.0
    attempts: Count = 1
    run_id: str | None = None
    folders: Sequence[str] = ()
    repeats: Sequence[float] = ()

    def as_dict(self) -> dict[str, Any]:
        """Returns plain data, from which `from_dict` makes the same again."""
        lists = {"folders": list(self.folders), "repeats": list(self.repeats)}
        return {**asdict(self), **lists}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Outcome":
        """Returns the outcome that `as_dict` described."""
        lists = {name: tuple(data.get(name, ())) for name in ("folders", "repeats")}
        return cls(**{**data, **lists})


@dataclass(frozen=True, kw_only=True, slots=True)
class Trial:
    """A proposal, the overrides it became and, once it ended, its outcome.

    Attributes:
        proposal: What was asked for.
        overrides: What it changes in the config, as one would type it.
        outcome: `None` while it runs.
    """

    proposal: Proposal
    overrides: Sequence[str] = ()
    outcome: Outcome | None = None

    @property
    def number(self) -> int:
        """The number of the trial."""
        return self.proposal.number

    @property
    def objective(self) -> float | None:
        """The value to compare; `None` while it runs and when it failed."""
        return None if self.outcome is None else self.outcome.objective

    @property
    def state(self) -> str:
        """`unfinished`, or how it ended, a failure with its kind: `failed (oom)`."""
        if self.outcome is None:
            return "unfinished"
        kind = self.outcome.failure
        return self.outcome.end if kind is None else f"{self.outcome.end} ({kind})"


def best_trial(trials: Sequence[Trial], objective: Objective) -> Trial | None:
    """Returns the first trial of the best proposal, see `rank_trials`; or `None`."""
    return next(iter(rank_trials(trials, objective)), None)


def rank_trials(trials: Sequence[Trial], objective: Objective) -> list[Trial]:
    """Returns the trials that have an objective, from best to worst.

    Trials that differ in their seed alone are one proposal, judged by its mean, the
    first of them before the others: a lucky seed makes no proposal better. One that
    failed with a seed is judged by those that it has.
    """
    values = score_proposals(trials)
    scored = [trial for trial in trials if trial.number in values]
    order = objective.rank([values[trial.number] for trial in scored])
    ranked = [scored[index] for index in order]
    # Two proposals of the same mean do not mix their trials.
    names = list(dict.fromkeys(map(name_proposal, ranked)))
    places = {name: place for place, name in enumerate(names)}
    return sorted(ranked, key=lambda trial: places[name_proposal(trial)])


def score_proposals(trials: Sequence[Trial]) -> dict[int, float]:
    """Returns the mean of a trial's proposal over its seeds, by the trial's number."""
    values: dict[Hashable, list[float]] = {}
    scored = [trial for trial in trials if trial.objective is not None]
    for trial in scored:
        values.setdefault(name_proposal(trial), []).append(float(trial.objective or 0))
    means = {name: statistics.fmean(found) for name, found in values.items()}
    return {trial.number: means[name_proposal(trial)] for trial in scored}


def name_proposal(trial: Trial) -> Hashable:
    """Returns what trials of one proposal share; a trial without a seed is its own."""
    proposal = trial.proposal
    if _SEED not in proposal.values:
        return trial.number
    rest = {k: v for k, v in proposal.values.items() if k != _SEED}
    return frozenset(rest.items()), proposal.epochs
