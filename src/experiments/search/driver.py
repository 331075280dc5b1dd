"""Keeps trials in flight until an oracle has no more or the budget is spent."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from experiments.errors import ExperimentError, Preempted
from experiments.search.oracle.proposer import Proposer
from experiments.search.trials.trial import Outcome, Proposal, Trial
from experiments.workers.crew import Crew

# Runs one trial to its end; failures are outcomes, only a stop is raised.
RunTrial = Callable[[Proposal], Outcome]


class Watcher(Protocol):
    """Is told what happens, in the driver's thread."""

    def began(self, trial: Trial) -> None:
        """A trial starts."""

    def ended(self, trial: Trial) -> None:
        """A trial ended; its outcome is known."""


@dataclass(frozen=True, kw_only=True)
class Driver:
    """Asks, runs and tells.

    Attributes:
        proposer: The oracle.
        run_trial: Called from a thread of its own when `n_jobs` is above 1.
        n_jobs: Trials at a time.
        on_failure: Whether the search goes on after a failed trial.
        stop: Asks running trials to end, saving their state; gets what ends the search.
        find_obstacle: Returns why no further trial may start; `None` where one may.
        watchers: Told of each trial in turn.
    """

    proposer: Proposer
    run_trial: RunTrial
    n_jobs: int = 1
    on_failure: Literal["continue", "stop"] = "continue"
    stop: Callable[[BaseException], None] = lambda cause: None
    find_obstacle: Callable[[], Preempted | None] = lambda: None
    watchers: Sequence[Watcher] = ()

    def run(self) -> Sequence[Trial]:
        """Runs the search to its end and returns all trials.

        Raises:
            ExperimentError: A trial failed and `on_failure` is `stop`.
            Preempted: No further trial may start; those that ran have ended.
        """
        left = list(self.proposer.unfinished)
        if self.n_jobs == 1:
            self._run_in_turn(left)
        else:
            self._run_side_by_side(left)
        return self.proposer.trials

    def _run_in_turn(self, left: list[Proposal]) -> None:
        while (proposal := self._next(left)) is not None:
            if (obstacle := self.find_obstacle()) is not None:
                raise obstacle
            self._begin(proposal)
            self._end(proposal, self._run(proposal))

    def _run_side_by_side(self, left: list[Proposal]) -> None:
        Crew(
            choose=lambda: self._next(left),
            find_obstacle=lambda proposal: self.find_obstacle(),
            begin=self._begin,
            work=self._run,
            end=self._end,
            end_late=self._tell,
            n_jobs=self.n_jobs,
            stop=self.stop,
        ).run()

    def _next(self, left: list[Proposal]) -> Proposal | None:
        """Returns a trial to start now; `None` while or since there is none."""
        if left:
            return left.pop(0)
        proposal = self.proposer.ask()
        return proposal if isinstance(proposal, Proposal) else None

    def _run(self, proposal: Proposal) -> Outcome:
        parent = None if proposal.parent is None else self._trial(proposal.parent)
        if parent is not None and parent.objective is None:
            return Outcome(
                end="failed",
                failure="error",
                reason=f"continues trial {parent.number}, which failed",
                attempts=0,
            )
        return self.run_trial(proposal)

    def _begin(self, proposal: Proposal) -> None:
        for watcher in self.watchers:
            watcher.began(self._trial(proposal.number))

    def _end(self, proposal: Proposal, outcome: Outcome) -> None:
        trial = self._tell(proposal, outcome)
        if outcome.end == "failed" and self.on_failure == "stop":
            raise ExperimentError(
                f"Trial {trial.number} failed: {str(outcome.reason).rstrip('.')}. The "
                "search ends, as "
                "hydra.sweeper.on_failure=stop says; the same command continues it."
            )

    def _tell(self, proposal: Proposal, outcome: Outcome) -> Trial:
        self.proposer.tell(proposal.number, outcome)
        trial = self._trial(proposal.number)
        for watcher in self.watchers:
            watcher.ended(trial)
        return trial

    def _trial(self, number: int) -> Trial:
        return self.proposer.trials[number]
