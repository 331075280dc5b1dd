"""The flag `--shell-completion`: teaches a shell, and answers what it asks."""

import os
import shlex
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, redirect_stderr, suppress
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

from experiments.command.completion.candidates import list_flags, list_words
from experiments.command.completion.shells import (
    SHELLS,
    describe_install,
    describe_uninstall,
)
from experiments.config.code.programs import is_installed, typed_script
from experiments.errors import ConfigError, ExperimentError, Problem

if TYPE_CHECKING:
    from experiments.command.composing.loader import CheckedHydra

Open = Callable[[Namespace], AbstractContextManager["CheckedHydra"]]


def answer_completion(
    words: Sequence[str], parser: ArgumentParser, open_configs: Open
) -> str:
    """Returns what the flag is to print.

    Args:
        words: What was typed with it: `install=bash`, `uninstall=bash`, `query=bash`.
        parser: Of the command line.
        open_configs: Opens what composes, by flags.

    Raises:
        ConfigError: It is none of that.
    """
    verb, _, shell = words[0].partition("=") if len(words) == 1 else ("", "", "")
    if verb not in ("install", "uninstall", "query") or shell not in SHELLS:
        reason = f"needs one of {', '.join(f'install={name}' for name in SHELLS)}."
        raise ConfigError([Problem("--shell-completion", reason)], "The command line")
    script = None if is_installed() else Path(typed_script())
    if verb == "install":
        return describe_install(shell, script=script)
    if verb == "uninstall":
        return describe_uninstall(shell, script=script)
    line = os.environ.get("COMP_LINE", "")
    return "".join(f"{word}\n" for word in complete(line, parser, open_configs))


def complete(line: str, parser: ArgumentParser, open_configs: Open) -> list[str]:
    """Returns what the last word of a line may become; nothing for a wrong line.

    Args:
        line: From the program to the cursor.
        parser: Of the command line.
        open_configs: Opens what composes, by flags.
    """
    *before, begun = _split(line)
    if found := list_flags(parser, before, begun):
        return found
    if begun.startswith("-"):
        return []
    with suppress(SystemExit, ExperimentError), redirect_stderr(StringIO()):
        args, _ = parser.parse_known_intermixed_args(before)
        args.config_name = args.config_name or "config"
        with open_configs(args) as hydra:
            return list_words(hydra.config_loader, args, args.overrides, begun)
    return []


def _split(line: str) -> list[str]:
    """Returns the words behind the program, the last one as far as it is typed."""
    try:
        words = shlex.split(line)
    except ValueError:  # a quote is still open
        words = [word.lstrip("\"'") for word in line.split()]
    if not line or line[-1].isspace():
        words.append("")
    while len(words) > 1 and "=" in words[0]:  # a variable of the environment
        del words[0]
    del words[: 2 if Path(words[0]).name.startswith("python") else 1]
    return words or [""]
