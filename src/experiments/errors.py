"""What can go wrong in a way that a person can mend."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from experiments.redaction import HIDDEN, redact
from experiments.secret_names import is_secret_name


class ExperimentError(Exception):
    """A problem that its message explains; shown without a traceback."""

    exit_code = 1
    failure = "error"  # its kind, for a search that decides whether to try again

    def __str__(self) -> str:
        """Returns the message without secrets: a notebook shows it itself."""
        return redact(super().__str__())

    def _render_traceback_(self) -> list[str]:
        """Returns what IPython shows in the place of a traceback."""
        notes = getattr(self, "__notes__", ())
        return [f"{type(self).__name__}: {self}", *notes]


class Preempted(BaseException):
    """The job was asked to stop; like Ctrl-C, no `except Exception` may swallow it.

    The exit code is that of a temporary failure (EX_TEMPFAIL of sysexits.h): run the
    same command again and it continues.

    Args:
        reason: What stopped it, a few words.
        advice: How to go on, a sentence.
    """

    exit_code = 75

    def __init__(
        self, reason: str, *, advice: str = "The same command continues."
    ) -> None:
        super().__init__(reason)
        self.advice = advice


class RestartNeeded(Preempted):
    """A fresh process has to go on with the job, at once."""


def summarise_error(error: BaseException) -> str:
    """Returns an error in one line, for tables and tags."""
    if isinstance(error, KeyboardInterrupt):
        return "stopped by Ctrl-C"
    if isinstance(error, Preempted):
        return f"stopped by {error}"
    if isinstance(error, SystemExit):
        return f"Code of the job called sys.exit({error.code!r})"
    text = " ".join(str(error).split())
    if isinstance(error, ExperimentError):
        return text
    kind = type(error).__name__
    return f"{kind}: {text}" if text else kind


class DataError(ExperimentError):
    """A data set is absent, damaged or inconsistent; names the file or folder."""

    failure = "config"  # the same again at a second attempt


class DeviceError(ExperimentError):
    """The requested device does not exist or cannot be claimed any more."""


class TrackingError(ExperimentError):
    """The tracking store cannot be reached or refuses a record."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a config.

    Attributes:
        key: Dotted path of the key, as a user types it.
        message: What is wrong and what is accepted.
        hint: What to do next, one sentence; may be empty.
    """

    key: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        message = self.message
        if is_secret_name(self.key):
            message = re.sub(r"(Received[^:]*: ).*", rf"\1{HIDDEN}.", message)
        text = f"{_shorten(self.key, 200)} {_shorten(message, 1500)}"
        return make_printable(f"{text} {self.hint}" if self.hint else text)


def _shorten(text: str, length: int) -> str:
    """Returns a text, of one that nobody reads its beginning and its end."""
    if len(text) <= length:
        return text
    end = length // 5
    return f"{text[: length - end]} [...] {text[-end:]}"


def make_printable(text: str) -> str:
    """Returns a text whose control characters are spelt: what was typed is shown."""
    return "".join(
        char if char.isprintable() or char == "\n" else repr(char)[1:-1]
        for char in text
    )


class ConfigError(ExperimentError):
    """All the problems of a config at once.

    Attributes:
        problems: At least one problem.
        title: What was being checked, for the first line.
        config: The composed config of the one job that they are of, where there is one.
    """

    exit_code = 2
    failure = "config"

    def __init__(
        self, problems: Sequence[Problem], title: str = "The configuration"
    ) -> None:
        self.problems = tuple(problems)
        count = len(self.problems)
        noun = "problem" if count == 1 else "problems"
        lines = [f"{title} has {count} {noun}:"]
        lines += [f"  - {problem}" for problem in self.problems]
        super().__init__("\n".join(lines))
        self.title = title
        self.config: Mapping[str, Any] | None = None

    def __reduce__(self) -> tuple[type, tuple[tuple[Problem, ...], str]]:
        """Comes back from a launcher's worker as it was raised."""
        return type(self), (self.problems, self.title)
