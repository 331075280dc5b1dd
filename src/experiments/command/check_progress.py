"""Tells on the screen how far the check of many jobs is."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from experiments.counts import count_of

_FIRST_SECONDS = 2.0
_LINE_SECONDS = 10.0


@contextmanager
def show_progress(jobs: int) -> Iterator[Callable[[], None]]:
    """Yields a function to call after each of so many jobs.

    A check of a moment says nothing. On a terminal one line is written over and over,
    and removed at the end; a file gets a line from time to time.
    """
    live = sys.stderr.isatty()
    interval = _FIRST_SECONDS if live else _LINE_SECONDS
    done, shown, due = 0, False, time.monotonic() + _FIRST_SECONDS

    def advance() -> None:
        nonlocal done, shown, due
        done += 1
        if done < jobs and time.monotonic() >= due:
            line = f"Checking {count_of(jobs, 'job')} before they start: {done:,} done"
            print(
                f"\r{line}" if live else line,
                end="" if live else "\n",
                file=sys.stderr,
                flush=True,
            )
            shown, due = True, time.monotonic() + interval

    try:
        yield advance
    finally:
        if live and shown:
            print("\r\033[K", end="", file=sys.stderr, flush=True)
