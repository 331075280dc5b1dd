"""Tells on the screen how far the check of many jobs is."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from experiments import progress
from experiments.counts import count_of

_SECONDS = 2.0  # a check of a moment says nothing


@contextmanager
def show_progress(jobs: int) -> Iterator[Callable[[], None]]:
    """Yields a function to call after each of so many jobs."""
    done = 0
    with progress.show_progress(first=_SECONDS, terminal=_SECONDS) as show:

        def advance() -> None:
            nonlocal done
            done += 1
            if done < jobs:
                told = f"Checking {count_of(jobs, 'job')} before they start"
                show(f"{told}: {done:,} done")

        yield advance
