"""What a person sees while a search runs: the best so far, what runs, what is left."""

import time
from types import TracebackType

from rich.console import Console
from rich.live import Live
from rich.text import Text

from experiments.config.search.schema import SearchConfig
from experiments.counts import count_of, format_seconds
from experiments.screen import open_console
from experiments.search.oracle.proposer import Proposer
from experiments.search.trials.trial import Trial, best_trial

_REFRESH_A_SECOND = 2


class SearchDisplay:
    """Prints a line a trial; below them, on a terminal, a line that is kept current.

    Args:
        search: What is searched for.
        proposer: Knows all trials.
        n_jobs: Trials at a time.
        console: Where to print.
    """

    def __init__(
        self,
        search: SearchConfig,
        proposer: Proposer,
        *,
        n_jobs: int,
        console: Console | None = None,
    ) -> None:
        self._search = search
        self._proposer = proposer
        self._n_jobs = n_jobs
        self._console = console or open_console()
        self._begin = time.monotonic()
        self._running: dict[int, float] = {}
        self._seconds: list[float] = []
        self._live: Live | None = None

    def __enter__(self) -> "SearchDisplay":
        done = sum(t.outcome is not None for t in self._proposer.trials)
        limit = self._search.max_trials
        if done and (limit is None or done < limit):
            self._print(f"The search goes on after {count_of(done, 'trial')}.")
        elif done:
            self._print(
                f"The search has had its {count_of(done, 'trial')}; for more raise "
                "hydra.sweeper.max_trials."
            )
        if self._console.is_terminal:
            self._live = Live(
                console=self._console,
                get_renderable=self._describe_now,
                refresh_per_second=_REFRESH_A_SECOND,
                transient=True,
            )
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def began(self, trial: Trial) -> None:
        """Notes that a trial runs."""
        self._running[trial.number] = time.monotonic()
        if self._live is None:
            self._print(f"trial {trial.number} runs: {self._describe(trial)}")

    def ended(self, trial: Trial) -> None:
        """Prints how it ended."""
        self._running.pop(trial.number, None)
        outcome = trial.outcome
        if outcome is None:
            return
        self._seconds.append(outcome.seconds)
        self._print(f"trial {trial.number} {self._describe_end(trial)}")

    def _print(self, text: str) -> None:
        self._console.print(Text(text), soft_wrap=True)

    def _describe(self, trial: Trial) -> str:
        words = " ".join(trial.overrides) or "the config as it is"
        epochs, parent = trial.proposal.epochs, trial.proposal.parent
        if parent is not None:
            words += f" (continues trial {parent})"
        return words if epochs is None else f"{words}, to epoch {epochs}"

    def _describe_end(self, trial: Trial) -> str:
        outcome = trial.outcome
        if outcome is None:
            return "runs"
        took = f"in {format_seconds(outcome.seconds)}"
        if outcome.objective is None:
            reason = (outcome.reason or "no reason").rstrip(".")
            return f"{trial.state} {took}: {reason}. {self._describe(trial)}"
        name = self._search.objective.name
        best = best_trial(self._proposer.trials, self._search.objective)
        mark = " (best)" if best is not None and best.number == trial.number else ""
        return (
            f"{trial.state}: {name} {outcome.objective:.4f}{mark} {took}: "
            f"{self._describe(trial)}"
        )

    def _describe_now(self) -> Text:
        """Returns the line that is kept current."""
        trials = self._proposer.trials
        ended = sum(trial.outcome is not None for trial in trials)
        best = best_trial(trials, self._search.objective)
        parts = [self._count_ended(ended)]
        if best is not None and best.objective is not None:
            name = self._search.objective.name
            parts.append(f"best {name} {best.objective:.4f} (trial {best.number})")
        now = time.monotonic()
        # Copied: this runs in a thread of its own while trials begin and end.
        begins = dict(self._running)
        running = [f"{n} ({format_seconds(now - b)})" for n, b in begins.items()]
        if running:
            parts.append(f"running: {', '.join(running)}")
        parts.append(format_seconds(now - self._begin))
        left = self._estimate_left(ended)
        if left is not None:
            parts.append(f"about {format_seconds(left)} left")
        return Text("  |  ".join(parts), style="bold")

    def _count_ended(self, ended: int) -> str:
        limit = self._search.max_trials
        total = count_of(ended if limit is None else limit, "trial")
        return total if limit is None else f"{ended} of {total}"

    def _estimate_left(self, ended: int) -> float | None:
        limit = self._search.max_trials
        if limit is None or not self._seconds:
            return None
        mean = sum(self._seconds) / len(self._seconds)
        return max(limit - ended, 0) * mean / self._n_jobs
