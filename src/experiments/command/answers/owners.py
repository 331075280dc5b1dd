"""Which files of a group have a key, and which keys a file has."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml
from hydra._internal.config_repository import IConfigRepository
from hydra.errors import HydraException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException


def list_owners(group: str, name: str, folders: IConfigRepository) -> Iterator[str]:
    """Yields the options of a group that declare a key, but none that builds on one.

    Args:
        group: Such as `optimizer`.
        name: The key inside of it.
        folders: Where files are.
    """
    if group == "hydra" or not name or not _may_declare(group, name, folders):
        return
    parents = {
        option: dict(_read(f"{group}/{option}", folders))
        for option in folders.get_group_options(group)
    }
    owners = {
        f"{group}/{option}": option
        for option, files in parents.items()
        if any(has_key(config, name.split(".")) for config in files.values())
    }
    for path, option in owners.items():
        if not owners.keys() & (parents[option].keys() - {path}):
            yield option


def _may_declare(group: str, name: str, folders: IConfigRepository) -> bool:
    """Tells whether the last name of a key stands in any file of a group.

    Most unknown keys are slips that no file holds: to read a whole group as configs for
    each is most of the time that it takes to tell of them.
    """
    last = re.escape(name.rpartition(".")[2].encode())
    word = re.compile(rb"(?<!\w)" + last + rb"(?!\w)")
    for source in folders.get_sources():
        if source.is_group(group):
            # Of a package, which may lie in an archive, all is read.
            if source.scheme() != "file":
                return True
            files = Path(source.path, group).rglob("*.y*ml")
            if any(word.search(read_bytes(file)) for file in files):
                return True
    return False


def _read(path: str, folders: IConfigRepository) -> Iterator[tuple[str, Any]]:
    """Yields a file of a group, as path and content, and those that it builds on."""
    try:
        loaded = folders.load_config(path)
    except (HydraException, OmegaConfBaseException, yaml.YAMLError, OSError):
        return  # a wrong file, which nobody has chosen
    if loaded is None:
        return
    yield path, loaded.config
    for default in loaded.defaults_list or ():
        parent = getattr(default, "path", None)
        if parent not in (None, "_self_"):
            yield from _read(f"{path.rpartition('/')[0]}/{parent}", folders)


def has_key(config: Any, names: Sequence[str]) -> bool:
    """Tells whether a config sets a key, be it to null or to `???`.

    What a search varies stands there under dotted names.
    """
    if not names:
        return True
    if not isinstance(config, DictConfig) or config._is_none() or config._is_missing():
        return False
    # `in` would deny a key that is there and still `???`.
    present = config.keys()
    return any(
        name in present and has_key(config._get_node(name), rest)
        for name, rest in divide_names(names)
    )


def divide_names(names: Sequence[str]) -> Iterator[tuple[str, Sequence[str]]]:
    """Yields the first names as one, and the rest of them."""
    for number in range(1, len(names) + 1):
        yield ".".join(names[:number]), names[number:]


def read_bytes(file: Path) -> bytes:
    """Returns what a file holds; nothing of one that can't be read."""
    try:
        return file.read_bytes()
    except OSError:
        return b""
