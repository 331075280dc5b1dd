"""Whose key it is that nothing declares, and which file it comes from.

A file of `conf/experiment/` may set keys of an option that it chooses. Whoever types
another option keeps these keys, and is told which they are and how to go without.
"""

import dataclasses
import os
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml
from hydra.errors import HydraException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from experiments.command.loader import Loader
from experiments.command.permission import ConfigFile
from experiments.config.convert import UnknownKey, unknown_key
from experiments.config.fields import OpenTarget, is_component
from experiments.config.schema.run import RunConfig
from experiments.errors import Problem


@dataclass(frozen=True)
class Place:
    """Where a key is set.

    Attributes:
        path: Of the file, absolute.
        line: Counted from 1; `None` when it is not known.
    """

    path: Path
    line: int | None

    def __str__(self) -> str:
        relative = os.path.relpath(self.path)
        shown = str(self.path) if relative.startswith("..") else relative
        return shown if self.line is None else f"{shown}, line {self.line}"


def trace_keys(
    problems: Sequence[Problem],
    whole: DictConfig,
    loader: Loader,
    *,
    refused: Collection[str] = (),
) -> list[Problem]:
    """Returns problems, those of unknown keys with the file and the option of each.

    Args:
        problems: Of a config.
        whole: That config with Hydra's own node.
        loader: Has composed it.
        refused: Keys that were typed and that no file has: to look for them in the
            files, each of which is read for it, would be in vain.
    """
    unknown = {p.key for p in problems if isinstance(p, UnknownKey)}
    files = loader.list_used(whole) if unknown - set(refused) else []
    return [
        _trace(problem, whole, files, loader)
        if isinstance(problem, UnknownKey)
        else problem
        for problem in problems
    ]


def find_foreign(
    run: RunConfig, whole: DictConfig, loader: Loader
) -> Iterator[UnknownKey]:
    """Yields the keys that a file sets in a component whose own file has no such key.

    Only a component of one's own takes any key; what is called with one that it does
    not have would fail after minutes. A file that names the component too knows it.

    Args:
        run: The typed config.
        whole: The same with Hydra's own node.
        loader: Has composed it.
    """
    names = [field.name for field in dataclasses.fields(run) if is_component(field)]
    nodes: dict[str, Any] = {name: getattr(run, name) for name in names}
    open_nodes = {n: node for n, node in nodes.items() if isinstance(node, OpenTarget)}
    files = loader.list_used(whole) if open_nodes else []
    for group, node in open_nodes.items():
        own = [file for file in files if file.name.startswith(f"{group}/")]
        others = [file for file in files if file not in own]
        if not own or _is_set(f"{group}._target_", others):
            continue
        for name in node.extra:
            key = f"{group}.{name}"
            if _is_set(key, others) and not _is_set(key, own):
                yield unknown_key(key, node.arguments().keys() - {name})


def find_place(key: str, files: Sequence[ConfigFile]) -> Place | None:
    """Returns where a config has a key from; `None` when no file sets it.

    Args:
        key: Dotted path.
        files: What the config was composed of, in that order.
    """
    for file in reversed(files):
        if _is_set(key, [file]):
            path = Path(str(file))
            return Place(path, _find_line(path, key.split(".")))
    return None


def _trace(
    problem: UnknownKey,
    whole: DictConfig,
    files: Sequence[ConfigFile],
    loader: Loader,
) -> Problem:
    key, place = problem.key, find_place(problem.key, files)
    source = "" if place is None else f" It comes from {place}."
    group, _, name = key.partition(".")
    owners = list(_list_owners(group, name, loader)) if group in whole else []
    if not owners:
        return replace(problem, message=problem.message + source)
    chosen = whole.hydra.runtime.choices.get(group)
    taken = f"the chosen {group}" if chosen is None else f"{group}={chosen}"
    reason = f"is not a key of {taken} but of {group}={', '.join(owners)}.{source}"
    if place is not None:
        hint = f"To go without it, type ~{key}"
    elif owners[1:]:
        hint = "Leave it out, or choose one of these."
    else:
        both = f"'{group}=[{chosen or '...'},{owners[0]}]'"
        word = both if group == "callbacks" else f"{group}={owners[0]}"
        hint = f"Leave it out, or type {word}"
    return replace(problem, message=reason, hint=hint)


def _list_owners(group: str, name: str, loader: Loader) -> Iterator[str]:
    """Yields the options of a group that declare a key, but none that builds on one."""
    if group == "hydra" or not name or not _may_declare(group, name, loader):
        return
    parents = {
        option: dict(_read(f"{group}/{option}", loader))
        for option in loader.folders.get_group_options(group)
    }
    owners = {
        f"{group}/{option}": option
        for option, files in parents.items()
        if any(_has(config, name.split(".")) for config in files.values())
    }
    for path, option in owners.items():
        if not owners.keys() & (parents[option].keys() - {path}):
            yield option


def _may_declare(group: str, name: str, loader: Loader) -> bool:
    """Tells whether the last name of a key stands in any file of a group.

    Most unknown keys are slips that no file holds: to read a whole group as configs for
    each is most of the time that it takes to tell of them.
    """
    last = re.escape(name.rpartition(".")[2].encode())
    word = re.compile(rb"(?<!\w)" + last + rb"(?!\w)")
    for source in loader.folders.get_sources():
        if source.is_group(group):
            # Of a package, which may lie in an archive, all is read.
            if source.scheme() != "file":
                return True
            files = Path(source.path, group).rglob("*.y*ml")
            if any(word.search(_read_bytes(file)) for file in files):
                return True
    return False


def _read_bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""


def _read(path: str, loader: Loader) -> Iterator[tuple[str, Any]]:
    """Yields a file of a group, as path and content, and those that it builds on."""
    try:
        loaded = loader.folders.load_config(path)
    except (HydraException, OmegaConfBaseException, yaml.YAMLError, OSError):
        return  # a wrong file, which nobody has chosen
    if loaded is None:
        return
    yield path, loaded.config
    for default in loaded.defaults_list or ():
        parent = getattr(default, "path", None)
        if parent not in (None, "_self_"):
            yield from _read(f"{path.rpartition('/')[0]}/{parent}", loader)


def _is_set(key: str, files: Sequence[ConfigFile]) -> bool:
    return any(_has(file.config, key.split(".")) for file in files)


def _has(config: Any, names: Sequence[str]) -> bool:
    """Tells whether a config sets a key, be it to null or to `???`."""
    for name in names:
        if not isinstance(config, DictConfig) or config._is_none():
            return False
        # `in` would deny a key that is there and still `???`.
        if config._is_missing() or name not in config.keys():  # noqa: SIM118
            return False
        config = config._get_node(name)
    return True


def _find_line(path: Path, names: Sequence[str]) -> int | None:
    """Returns the line of a file in which a key is set.

    The file holds it without the names of the package that it is composed into.
    """
    try:
        root = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except (OSError, ValueError, yaml.YAMLError):
        return None
    lines = (_walk(root, names[start:]) for start in range(len(names)))
    return next((line for line in lines if line is not None), None)


def _walk(node: Any, names: Sequence[str]) -> int | None:
    line = None
    for name in names:
        pairs = node.value if isinstance(node, yaml.MappingNode) else []
        found = next((pair for pair in pairs if pair[0].value == name), None)
        if found is None:
            return None
        line, node = int(found[0].start_mark.line) + 1, found[1]
    return line
