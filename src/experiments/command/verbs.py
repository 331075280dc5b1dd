"""What the command does beside running experiments: `init`, `trust`, `distrust`."""

from collections.abc import Sequence
from pathlib import Path

from experiments.command.config_folders.first_project import write_project
from experiments.command.config_folders.local_configs import NAME
from experiments.command.config_folders.trust import distrust, trust
from experiments.counts import count_of
from experiments.errors import ConfigError, ExperimentError, Problem
from experiments.own_code import list_packages


def answer_verb(words: Sequence[str]) -> bool:
    """Does what a command line without overrides asks for; tells whether it was that.

    Args:
        words: What was typed, without flags.

    Raises:
        ConfigError: It can't be done as it was typed.
    """
    verb, *rest = words or ("",)
    if verb == "init":
        _init(rest)
    elif verb in ("trust", "distrust"):
        if rest:
            reason = "is typed by itself, in the folder that it is about."
            raise _wrong(verb, f"{reason} Received: {' '.join(rest)}.")
        _trust() if verb == "trust" else _distrust()
    else:
        return False
    return True


def _init(rest: Sequence[str]) -> None:
    if len(rest) != 1:
        reason = (
            "needs the name of one new folder, such as: experiments init my_project"
        )
        raise _wrong("init", reason)
    folder = Path(rest[0])
    files = write_project(folder)
    size = count_of(len(files), "file")
    print(f"{folder}/ holds a project of {size}. It runs as it is:")
    print(f"  cd {folder} && experiments experiment=first")
    try:
        trust(folder)
    except ExperimentError as error:
        print(f"Before that, type experiments trust there: {error}")


def _trust() -> None:
    folder = Path.cwd()
    if not (folder / NAME).is_dir():
        raise _wrong("trust", f"is for a folder that holds {NAME}/. {folder} has none.")
    trust(folder)
    packages = ", ".join(list_packages(folder)) or "none yet"
    print(f"{folder} is trusted: its {NAME}/ counts as your own.")
    print(f"Configs may name the packages in it, now and later: {packages}.")
    print("To take that back: experiments distrust")


def _distrust() -> None:
    folder = Path.cwd()
    state = "is trusted no more" if distrust(folder) else "was not trusted"
    print(f"{folder} {state}.")


def _wrong(verb: str, reason: str) -> ConfigError:
    return ConfigError([Problem(verb, reason)], "The command line")
