"""Commands that are printed for a person, who types them where they were printed."""

import re
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from experiments.config.composer import quote
from experiments.config.tracking import TrackingConfig

_SCRIPT = "run.py"
_PLAIN = re.compile(r"[\w./@:+-]+", re.ASCII)


def describe_command(*words: str) -> str:
    """Returns a command of this project for a shell."""
    # Whoever stands in another folder has typed where it is.
    typed = Path(sys.argv[0])
    script = str(typed) if typed.name == _SCRIPT else _SCRIPT
    return shlex.join(["python", script, *words])


def describe_output(output_dir: Path | str) -> list[str]:
    """Returns the override that leads to the records of a run; none for the usual one.

    Args:
        output_dir: As `output_dir`; may be relative.
    """
    folder = Path(output_dir).absolute()
    if folder == Path.cwd() / "outputs":
        return []
    return [_override("output_dir", str(folder))]


def describe_tracking(tracking: TrackingConfig, typed: Sequence[str]) -> list[str]:
    """Returns the overrides that lead to the same store and experiment.

    Args:
        tracking: Where records went.
        typed: The overrides of the command that sent them there.
    """
    words = [word for word in typed if _key(word).partition(".")[0] == "tracking"]
    if tracking.uri is not None and not words:  # a file says so
        return [_override("tracking.uri", tracking.uri)]
    return words


def _key(override: str) -> str:
    return override.lstrip("+~").partition("=")[0].partition("@")[0]


def _override(key: str, value: str) -> str:
    return f"{key}={value if _PLAIN.fullmatch(value) else quote(value)}"
