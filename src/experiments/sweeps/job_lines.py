"""What a person sees of jobs that run side by side: a line when one begins or ends."""

import time

from rich.console import Console
from rich.text import Text

from experiments import job_files
from experiments.config.kinds.objective import Objective
from experiments.counts import count_of, format_seconds
from experiments.jobs.job import JobResult
from experiments.screen import open_console
from experiments.sweeps.table import read_value


class JobLines:
    """Prints the lines.

    Args:
        objective: What is compared.
        jobs: How many there are.
        n_jobs: How many run at a time.
        console: Where to print.
    """

    def __init__(
        self,
        objective: Objective,
        jobs: int,
        n_jobs: int,
        *,
        console: Console | None = None,
    ) -> None:
        self._objective = objective
        self._jobs = jobs
        self._console = console or open_console()
        self._begun: dict[int, tuple[str, float, JobResult | None]] = {}
        self._print(
            f"{count_of(jobs, 'job')}, {n_jobs} at a time, each in a process of its "
            f"own: {job_files.SCREEN} in its folder holds what it prints."
        )

    def began(self, number: int, name: str, former: JobResult | None = None) -> None:
        """Says that a job has been handed to the launcher.

        Args:
            number: Of the job, from 0 on.
            name: What tells it from the others.
            former: What an earlier process left of it, if it finished: then it may
                have nothing left to do.
        """
        self._begun[number] = (name, time.monotonic(), former)
        if former is None:
            self._print(f"{self._count(number)} runs: {name}")

    def ended(self, number: int, result: JobResult) -> None:
        """Says how it ended."""
        name, begin, former = self._begun.pop(number)
        how = f"in {format_seconds(time.monotonic() - begin)}"
        if result == former:
            how = "before, not run again"
        kind = f" ({result.failure})" if result.failure else ""
        line = f"{self._count(number)} {result.status.lower()}{kind} {how}: {name}"
        value = read_value(result, self._objective)
        if value is not None:
            line += f": {self._objective.name} {value:.4f}"
        if result.reason and result.status != "FINISHED":
            line += f": {result.reason}"
        self._print(line)

    def _count(self, number: int) -> str:
        return f"job {number + 1} of {self._jobs}"

    def _print(self, text: str) -> None:
        self._console.print(Text(text), soft_wrap=True)
