"""What would keep planned jobs from running on this machine, their data aside."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from experiments.config.checks.machine import may_have_accelerator
from experiments.config.checks.memory import check_memory
from experiments.config.schema.run import RunConfig
from experiments.counts import count_of
from experiments.errors import ConfigError, Problem


def check_runs(runs: Sequence[RunConfig]) -> None:
    """Checks jobs against this machine: memory and GPUs.

    Args:
        runs: Their configs.

    Raises:
        ConfigError: All that is in the way, each with the number of jobs it stops.
    """
    counts: dict[str, tuple[Problem, int]] = {}
    for run in runs:
        for problem in {str(p): p for p in _list_obstacles(run)}.values():
            _, count = counts.get(str(problem), (problem, 0))
            counts[str(problem)] = (problem, count + 1)
    if counts:
        title = "The job" if len(runs) == 1 else f"The plan of {len(runs):,} jobs"
        raise ConfigError([_count(*pair, len(runs)) for pair in counts.values()], title)


def _count(problem: Problem, count: int, jobs: int) -> Problem:
    words = f"({count_of(count, 'job')})" if jobs > 1 else ""
    return replace(problem, hint=" ".join(filter(None, [problem.hint, words])))


def _list_obstacles(run: RunConfig) -> Iterator[Problem]:
    try:
        check_memory(run)
    except ConfigError as error:
        yield from error.problems
    if run.gpu not in ("auto", "cpu") and not may_have_accelerator():
        reason = f"names a GPU, and this machine shows none. Received: {run.gpu}."
        yield Problem("gpu", reason, "Type gpu=auto, or plan where the GPU is.")
