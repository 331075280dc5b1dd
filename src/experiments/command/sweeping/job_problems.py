"""What is wrong with the jobs of a sweep: each cause once, and how many have it."""

import re
from collections.abc import Collection, Sequence
from dataclasses import replace

from experiments.command.sweeping.job_words import select_overrides
from experiments.counts import count_of
from experiments.errors import ConfigError, Problem

# A sweep that has as many is wrong in itself.
MOST_PROBLEMS = 20


def raise_problems(
    jobs: Sequence[Sequence[str]],
    problems: Sequence[Sequence[Problem]],
    swept_keys: Collection[str],
    *,
    in_space: bool = False,
) -> None:
    """Raises each distinct problem once, with the first job that has it.

    Args:
        jobs: All jobs.
        problems: Those of the jobs that were checked.
        swept_keys: What tells jobs apart.
        in_space: Whether they are jobs of a search.
    """
    found: dict[str, tuple[Problem, int, int]] = {}
    for number, own in enumerate(problems):
        for cause, problem in {name_cause(p): p for p in reversed(own)}.items():
            first, job, count = found.get(cause, (problem, number, 0))
            found[cause] = first, job, count + 1
    if found:
        checked, count = len(problems), len(jobs)
        title = f"The sweep of {count:,} jobs" if count > 1 else "The configuration"
        title = "The search space" if in_space else title
        listed = [
            _locate(problem, jobs[job], swept_keys, in_space=in_space, of=of)
            if count > 1
            else problem
            for problem, job, number in found.values()
            for of in [(number, job, checked)]
        ]
        if left := count - checked:
            words = f"Not checked any more: {count_of(left, 'job')}."
            listed[-1] = replace(listed[-1], hint=f"{listed[-1].hint} {words}".strip())
        raise ConfigError(listed, title)


def name_cause(problem: Problem) -> str:
    """Returns what a problem has in common with others of its cause."""
    return re.sub(r"Received: .*", "", f"{problem.key} {problem.message}")


def _locate(
    problem: Problem,
    job: Sequence[str],
    swept_keys: Collection[str],
    *,
    in_space: bool,
    of: tuple[int, int, int],
) -> Problem:
    """Returns a problem with the jobs that have it.

    Args:
        problem: Of the first of them.
        job: That one.
        swept_keys: What tells jobs apart.
        in_space: Whether they are jobs of a search, which are a few of many.
        of: How many jobs have it, the number of the first one, and how many there are.
    """
    count, number, checked = of[0], of[1] + 1, of[2]  # people count from 1
    differing = " ".join(select_overrides(job, swept_keys))
    if in_space:
        where = f"(such as {differing})" if differing else ""
    elif count == checked > 1:
        where = f"(in {count:,} of {checked:,} jobs)"
    elif count > 1:
        where = (
            f"(in {count:,} of {checked:,} jobs, first in job {number}: {differing})"
        )
    else:
        where = f"(job {number}: {differing})" if differing else ""
    return replace(problem, hint=" ".join(filter(None, (problem.hint, where))))
