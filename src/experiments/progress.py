"""One line on the screen that says how far something is."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from experiments.heartbeat import beat

_TERMINAL_SECONDS = 0.25
_LINE_SECONDS = 10.0


@contextmanager
def show_progress(
    *, first: float | None = None, terminal: float = _TERMINAL_SECONDS
) -> Iterator[Callable[[str], None]]:
    """Yields a function that shows a text in place of the one before.

    On a terminal one line is written over and over, and removed at the end; a file
    gets a line every ten seconds, and nothing of what takes less.

    Args:
        first: Seconds before which nothing is shown; `None` for those between lines.
        terminal: Seconds between two lines of a terminal.
    """
    live = sys.stderr.isatty()
    interval = terminal if live else _LINE_SECONDS
    due = time.monotonic() + (interval if first is None else first)
    shown = False

    def show(text: str) -> None:
        nonlocal due, shown
        beat()
        if time.monotonic() < due:
            return
        line = f"\r{text}\033[K" if live else f"{text}\n"
        print(line, end="", file=sys.stderr, flush=True)
        due, shown = time.monotonic() + interval, True

    try:
        yield show
    finally:
        if live and shown:
            print("\r\033[K", end="", file=sys.stderr, flush=True)
