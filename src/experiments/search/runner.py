"""Runs one trial through a launcher of Hydra: its jobs, its retries, its outcome."""

import math
import statistics
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from experiments.command.sweeping.folds import list_fold_words
from experiments.config.kinds.metric_names import name_of_epoch
from experiments.config.reading.convert import nearest
from experiments.config.search.schema import KEY, SearchConfig
from experiments.config.search.space import Space
from experiments.errors import ConfigError, Problem
from experiments.search.trials.trial import Outcome, Proposal
from experiments.search.trials.verdict import combine, find_objective, judge
from experiments.workers.report import Report

# A wrong config and a diverged loss would only end the same way again.
_WORTH_RETRYING = ("error", "killed", "timeout")
_STUDENT_95 = (12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26)  # 1, 2, ... d.f.

Launch = Callable[[Sequence[str], int], Report]


@dataclass(frozen=True, kw_only=True)
class TrialRunner:
    """Turns a proposal into jobs and their ends into an outcome.

    Attributes:
        search: How to search.
        space: What is searched.
        launch: Runs one job with overrides; the number is Hydra's for it.
        fixed: Overrides that every trial has.
        seed: Of the first repeat.
        folds: In so many each proposal is trained; `None` for no such thing.
        prepare: Called with a proposal that has several jobs; returns overrides that
            make them children of a run of its own, and what to call at its end.
        objectives: Of the trials that ended so far.
    """

    search: SearchConfig
    space: Space
    launch: Launch
    fixed: Sequence[str] = ()
    seed: int = 0
    folds: int | None = None
    prepare: "Callable[[Proposal], RepeatedRun] | None" = None
    objectives: list[float] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, proposal: Proposal) -> Outcome:
        """Runs a trial.

        Raises:
            Preempted: The search is being stopped.
        """
        begin = time.monotonic()
        repeated = self._list_repeats()
        outcome = (
            self._run_all(proposal, repeated) if repeated else self._run(proposal, ())
        )
        self._note(outcome)
        return replace(outcome, seconds=time.monotonic() - begin)

    def _run(self, proposal: Proposal, extra: Sequence[str]) -> Outcome:
        overrides = [*self.fixed, *self.space.as_overrides(proposal.values), *extra]
        if proposal.epochs is not None:
            overrides.append(f"trainer.until_epoch={proposal.epochs}")
        attempt = 0
        while True:
            attempt += 1
            report = self.launch(overrides, proposal.number)
            outcome = judge(report, self.search.objective.name)
            if not self.objectives:
                _refuse_unknown(report, self.search.objective.name)
            may_retry = outcome.failure in _WORTH_RETRYING
            if not may_retry or attempt > self.search.max_retries:
                return replace(outcome, attempts=attempt)

    def _list_repeats(self) -> list[str]:
        """Returns what tells the jobs of a trial apart; nothing where it has one."""
        if self.folds is not None:
            return list_fold_words(self.folds)
        seeds = range(self.seed, self.seed + self.search.repeats)
        return [f"seed={seed}" for seed in seeds] if len(seeds) > 1 else []

    def _run_all(self, proposal: Proposal, repeated: Sequence[str]) -> Outcome:
        """Trains in all folds, or with seeds until the mean can not be the best.

        Folds are not left out: one may be harder than another, and means over other
        folds would not be comparable.
        """
        run = None if self.prepare is None else self.prepare(proposal)
        outcomes: list[Outcome] = []
        for word in repeated:
            extra = [word, *(run.overrides if run else ())]
            outcomes.append(self._run(proposal, extra))
            values = [o.objective or 0.0 for o in outcomes]
            if outcomes[-1].objective is None:
                break
            if self.folds is None and self._is_hopeless(values):
                break
        outcome = combine(outcomes)
        if run is not None:
            run.close(outcome)
        return outcome

    def _is_hopeless(self, values: Sequence[float]) -> bool:
        """Tells whether the 95 % interval of the mean cannot reach the best so far."""
        count = len(values)
        if count < 2 or not self.objectives:
            return False
        spread = _STUDENT_95[min(count - 2, len(_STUDENT_95) - 1)]
        reach = spread * statistics.stdev(values) / math.sqrt(count)
        objective = self.search.objective
        bound = statistics.fmean(values) + objective.sign * reach
        with self._lock:
            return any(objective.is_better(other, bound) for other in self.objectives)

    def _note(self, outcome: Outcome) -> None:
        if outcome.objective is not None:
            with self._lock:
                self.objectives.append(outcome.objective)


@dataclass(frozen=True)
class RepeatedRun:
    """The tracked run of a trial with several seeds.

    Attributes:
        overrides: Make a job its child.
        close: Records how the trial ended.
    """

    overrides: Sequence[str]
    close: Callable[[Outcome], None]


def _refuse_unknown(report: Report, objective: str) -> None:
    """Ends a search for what its first trial, which went well, has not measured.

    Raises:
        ConfigError: Says what it has.
    """
    metrics = {} if report.result is None else report.result.metrics
    if report.status != "returned" or not metrics:
        return
    if find_objective(report, objective) is None:
        names = list(dict.fromkeys(name_of_epoch(name) for name in metrics))
        reason = f"is none of what a trial has: {', '.join(names)}."
        problem = Problem(
            f"{KEY}.objective.name",
            f"{reason} Received: {objective!r}.",
            nearest(objective, names),
        )
        raise ConfigError([problem], "The search")
