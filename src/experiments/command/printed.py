"""Commands that are printed for a person, who may type them in whatever folder.

Each begins with the way to the folder in which the printing command was typed: what is
relative in it, of paths in any key or flag, means there what it meant then.
"""

import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from experiments.command.composing.composer import quote
from experiments.command.config_folders.machine_configs import sets
from experiments.config.code.programs import command_words
from experiments.config.schema.tracking import TrackingConfig
from experiments.redaction import HIDDEN, redact_word

_ADVICE = f"# {HIDDEN} was a secret: type it, or where it is, such as ${{oc.env:TOKEN}}"
_URI = "tracking.uri"
# What a run records, and not where; a search's trials may do without a model.
_OF_ONE_RUN = ("tracking.log_model", "tracking.system_metrics")
_PLAIN = re.compile(r"[\w./@:+-]+", re.ASCII)


def typed_folder() -> Path:
    """Returns the folder in which the command was typed.

    Hydra knows it also where a job runs in another one (`hydra.job.chdir=true`).
    """
    from hydra.utils import to_absolute_path

    return Path(to_absolute_path(""))


def describe_command(*words: str) -> str:
    """Returns a command of this project for a shell, from whatever folder.

    It says so where it lacks a secret.
    """
    shown = [redact_word(word) for word in words]
    command = from_folder(shlex.join([*command_words(), *shown]))
    return command if shown == list(words) else f"{command}  {_ADVICE}"


def from_folder(command: str) -> str:
    """Returns a shell command that runs where the present one was typed."""
    return f"cd {shlex.quote(str(typed_folder()))} && {command}"


def describe_output(output_dir: Path | str) -> list[str]:
    """Returns the override that leads to the records of a run; none for the usual one.

    Args:
        output_dir: As `output_dir`; may be relative.
    """
    folder = Path(typed_folder(), output_dir)
    if folder == typed_folder() / "outputs" and not sets("output_dir"):
        return []
    return [_override("output_dir", str(folder))]


def describe_store(uri: str | None, key: str = _URI) -> list[str]:
    """Returns the override that leads to a store; none for the embedded database.

    Args:
        uri: As `tracking.uri`.
        key: The key that takes it.
    """
    if uri is None:
        return ["tracking=sqlite"] if key == _URI and sets("tracking") else []
    return [_override(key, uri)]


def describe_tracking(tracking: TrackingConfig, typed: Sequence[str]) -> list[str]:
    """Returns the overrides that lead to the same store and experiment.

    Args:
        tracking: Where records went.
        typed: The overrides of the command that sent them there.
    """
    own = [word for word in typed if _top(word) == "tracking"]
    words = [word for word in own if _key(word) not in _OF_ONE_RUN]
    # Without any a file says so.
    return words or describe_store(tracking.uri)


def move_overrides(recorded: Sequence[str], paths: Mapping[str, str]) -> list[str]:
    """Returns overrides that were typed in some folder so that they mean the same here.

    Those that say where records are kept are left out: they are elsewhere by now.

    Args:
        recorded: As typed.
        paths: Key -> absolute path, of the config that they made.
    """
    kept = [word for word in recorded if _top(word) not in {"output_dir", "tracking"}]
    return [
        _override(_key(word), paths[_key(word)]) if _key(word) in paths else word
        for word in kept
    ]


def _top(override: str) -> str:
    return _key(override).partition(".")[0]


def _key(override: str) -> str:
    return override.lstrip("+~").partition("=")[0].partition("@")[0]


def _override(key: str, value: str) -> str:
    return f"{key}={value if _PLAIN.fullmatch(value) else quote(value)}"
