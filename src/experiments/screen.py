"""The screen and the log: they hold no secrets, and a closed screen stops nothing."""

import errno
import io
import logging
import os
import select
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from experiments.errors import ExperimentError
from experiments.redaction import redact

if TYPE_CHECKING:
    from rich.console import Console

# A disk that is full, or a quota: the next line may find room.
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_WHOLE = 100_000  # columns: of no line
_WAIT_SECONDS = 1.0


class Screen:
    """Standard output or error of a process, which goes on when nobody reads it.

    Text goes out by lines, or when it is flushed, each with its secrets hidden. Of a
    pipe or a terminal that was closed nothing more is heard; what a full disk does not
    take is lost.

    Args:
        stream: What Python has opened.
    """

    def __init__(self, stream: Any) -> None:
        self.problem: OSError | None = None
        self._stream = stream
        self._begun = ""  # a line without its end
        # Whoever handles a signal may print while something is being printed.
        self._lock = threading.RLock()
        with suppress(OSError, ValueError):
            stream.flush()

    @property
    def plain(self) -> Any:
        """The stream itself."""
        return self._stream

    def __getattr__(self, name: str) -> Any:
        """Returns what the stream knows, such as `encoding` and `isatty`."""
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Prints a text, its last line when that ends."""
        with self._lock:
            whole, end, rest = (self._begun + text).rpartition("\n")
            self._begun = rest
            if end:
                self._print(whole + end)
        return len(text)

    def writelines(self, lines: Any) -> None:
        """Prints several texts."""
        self.write("".join(lines))

    def flush(self) -> None:
        """Prints what waits for the end of its line."""
        with self._lock:
            begun, self._begun = self._begun, ""
            if begun:
                self._print(begun)

    def close(self) -> None:
        """Prints what waits; others go on printing."""
        self.flush()

    def _print(self, text: str) -> None:
        text = redact(text)
        descriptor = find_descriptor(self._stream)
        if descriptor is None:
            with suppress(ValueError):  # it was closed
                self._stream.write(text)
                self._stream.flush()
            return
        try:
            _write_all(descriptor, self._encode(text))
        except OSError as error:
            self.problem = error
            if error.errno not in _FULL:
                _lead_nowhere(descriptor)

    def _encode(self, text: str) -> bytes:
        # A sign that a terminal does not know is no reason to stop either.
        errors = self._stream.errors
        errors = "backslashreplace" if errors in (None, "strict") else errors
        return text.encode(self._stream.encoding or "utf-8", errors)


class RedactingFormatter(logging.Formatter):
    """Formats as another one does, and hides secrets, those of tracebacks too."""

    def __init__(self, plain: logging.Formatter) -> None:
        super().__init__()
        self._plain = plain

    def format(self, record: logging.LogRecord) -> str:
        """Returns the line without secrets."""
        return redact(self._plain.format(record))


def guard_screen() -> None:
    """Makes both streams of this process a `Screen`, once."""
    _open_closed()
    for name, number in (("stdout", 1), ("stderr", 2)):
        stream = getattr(sys, name)
        if stream is None:  # it was closed when the process began
            stream = open(number, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
        if not isinstance(stream, Screen):
            setattr(sys, name, Screen(stream))


def guard_log() -> None:
    """Hides secrets in what the present handlers of the log write."""
    for reference in list(logging._handlerList):  # type: ignore[attr-defined]
        handler = reference()
        if handler is None or isinstance(handler.formatter, RedactingFormatter):
            continue
        plain = handler.formatter or logging.Formatter()
        handler.setFormatter(RedactingFormatter(plain))


@contextmanager
def losing_lines() -> Iterator[None]:
    """Lets the log lose its lines on a full disk within the block, and no more."""
    former = logging.raiseExceptions
    logging.raiseExceptions = False
    try:
        yield
    finally:
        logging.raiseExceptions = former


def open_console(file: Any = None, *, whole: bool = False) -> "Console":
    """Returns what prints aligned text, in colours where a terminal takes them.

    In a notebook rich would print pages of its own, beside standard output and its
    guard, and redraw what cannot be redrawn there.

    Args:
        file: Where to; standard output by default.
        whole: Break no line for a pipe or a file, which have no width.
    """
    from rich.console import Console

    stream = getattr(file or sys.stdout, "plain", file or sys.stdout)
    terminal = None if find_descriptor(stream) is not None else False
    console = Console(
        file=file, highlight=False, force_jupyter=False, force_terminal=terminal
    )
    if whole and terminal is None and not console.is_terminal:
        console.width = int(os.environ.get("COLUMNS") or _WHOLE)
    return console


def find_descriptor(stream: Any) -> int | None:
    """Returns the descriptor that a stream writes to; `None` where it has none.

    A notebook's stream names one too: that of its server's terminal.
    """
    try:
        return int(stream.fileno()) if isinstance(stream, io.TextIOWrapper) else None
    except (OSError, ValueError):
        return None


def confirm_page() -> None:
    """Checks that what was asked for, and is all there is, was printed.

    Raises:
        ExperimentError: It was not, though somebody was to read it.
    """
    if (problem := find_loss()) is not None:
        raise ExperimentError(
            f"Standard output cannot be written: {problem}. Send it somewhere else."
        )


def find_loss() -> str | None:
    """Returns why a part of standard output was lost; `None` when nobody reads it."""
    sys.stdout.flush()
    problem = sys.stdout.problem if isinstance(sys.stdout, Screen) else None
    if problem is None or problem.errno not in _FULL:
        return None
    return problem.strerror


def _open_closed() -> None:
    """Opens the first three descriptors, lest a database become one of them."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)
            os.set_inheritable(opened, True)


def _lead_nowhere(descriptor: int) -> None:
    """Lets others that print, libraries in C among them, print nowhere as well."""
    with suppress(OSError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, descriptor)
        if nowhere != descriptor:
            os.close(nowhere)


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(descriptor, view) :]
        except BlockingIOError:  # another program has set it so, and reads slowly
            select.select([], [descriptor], [], _WAIT_SECONDS)
