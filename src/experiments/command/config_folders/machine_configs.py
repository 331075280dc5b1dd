"""The configs of this machine: `conf/local/`, which git ignores.

`conf/local/default.yaml` is part of every command where it is there: the output folder,
a launcher, where records go. Another file is chosen by its name, `local=cluster`, and
none by `local=null`.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from hydra._internal.config_repository import IConfigRepository
from hydra.core.default_element import GroupDefault
from hydra.core.object_type import ObjectType
from omegaconf import DictConfig, OmegaConf

from experiments.command.config_folders.permission import MACHINE, ConfigFile
from experiments.config.reading.convert import nearest
from experiments.config.reading.leaves import list_leaves
from experiments.config.reading.values import write_value
from experiments.errors import Problem
from experiments.redaction import redact_word

_USUAL = "default"
# Environment: what they set, for whoever prints a command that is to be typed here.
_VARIABLE = "EXPERIMENTS_LOCAL_KEYS"


def check_choice(whole: DictConfig, folders: IConfigRepository) -> Iterator[Problem]:
    """Yields a problem for a file of the group that is chosen and not there.

    Args:
        whole: The config with Hydra's own node.
        folders: Where its files were looked for.
    """
    name = whole.hydra.runtime.choices.get(MACHINE)
    if name in (None, _USUAL) or folders.config_exists(f"{MACHINE}/{name}"):
        return
    files = folders.get_group_options(MACHINE, ObjectType.CONFIG)
    reason = f"must be one of {', '.join(files)}." if files else "has no files yet."
    hint = nearest(str(name), files) or f"Write it: conf/{MACHINE}/{name}.yaml."
    yield Problem(MACHINE, f"{reason} Received: {name!r}.", hint)


def list_choices(runtime: Any) -> dict[str, str]:
    """Returns group -> chosen option, that of this machine only where its file is.

    Args:
        runtime: `hydra.runtime` of a job.
    """
    found = {str(k): str(v) for k, v in runtime.choices.items() if v is not None}
    name = found.pop(MACHINE, None)
    if name is None:
        return found
    files = (
        Path(place.path, MACHINE, f"{name}.yaml") for place in _list_folders(runtime)
    )
    is_there = any(file.is_file() for file in files)
    return {**found, MACHINE: name} if is_there else found


def _list_folders(runtime: Any) -> list[Any]:
    return [place for place in runtime.config_sources if place.schema == "file"]


def has_files(folders: IConfigRepository) -> bool:
    """Tells whether there is a file of the group, in whichever folder of configs."""
    return bool(folders.get_group_options(MACHINE, ObjectType.CONFIG))


def select_files(used: Sequence[ConfigFile]) -> list[ConfigFile]:
    """Returns those of the files of a config that belong to this machine."""
    return [file for file in used if is_of_machine(file)]


def is_of_machine(file: ConfigFile) -> bool:
    """Tells whether a config file is one of the group."""
    return file.name.partition("/")[0] == MACHINE


def list_set(file: ConfigFile, folders: IConfigRepository) -> dict[str, str]:
    """Returns what a file sets: key or group -> value, no secret among them.

    Args:
        file: One of the group.
        folders: Where it is.
    """
    loaded = folders.load_config(file.name)
    listed = (loaded.defaults_list if loaded else None) or ()
    chosen = [d for d in listed if isinstance(d, GroupDefault) and d.override]
    groups = {str(d.group).lstrip("/"): str(d.value) for d in chosen}
    plain = OmegaConf.to_container(file.config, resolve=False)
    values = {k: write_value(v) for k, v in list_leaves(plain)}
    return {
        key: redact_word(f"{key}={value}").partition("=")[2]
        for key, value in {**groups, **values}.items()
    }


def remember_set(keys: Sequence[str]) -> None:
    """Keeps for this process, and those that it starts, what the files set."""
    os.environ[_VARIABLE] = " ".join(keys)


def sets(top: str) -> bool:
    """Tells whether the files of this machine set a key, or anything below it."""
    keys = os.environ.get(_VARIABLE, "").split()
    return any(key.partition(".")[0] == top for key in keys)
