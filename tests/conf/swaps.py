"""Every swap of this project's options, without composing each of them by Hydra.

A typed option takes the place of its group's node, and what an experiment or a debug
preset sets itself is laid over it. Hydra takes 90 ms for a swap, this 5 ms.
"""

import copy
import functools
import operator
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import yaml
from hydra._internal.utils import create_config_search_path
from omegaconf import OmegaConf

from experiments.command.composing.checked_job import check_job
from experiments.command.composing.composer import Composer, without_hydra
from experiments.command.composing.loader import Loader, open_hydra
from experiments.config.validation import find_problems
from experiments.errors import Problem
from tests.conftest import CONF

# What nobody but the user knows.
PLACES = {
    "dataset.path": "/images",
    "dataset.table": "/images/labels.csv",
    "dataset.name": "tiny",
    "tracking.uri": "http://localhost:5000",
}
PRESETS = ("experiment", "debug")
_EVERY = "every"
_LINK = re.compile(r"\$\{([\w.]+)\}")
_COMMAND = re.compile(
    r"(?<![\w.=/-])"
    r"(?:[~+]?[a-z_]\w*(?:[./]\w+)*=(?:\[[^\]]*\]|[^\s,;]+)|~[a-z_]\w*(?:\.\w+)*)"
)

Swap = Mapping[str, str]
Plain = dict[str, Any]


def list_options(group: str) -> list[str]:
    """Returns the files of a group."""
    return sorted(path.stem for path in (CONF / group).glob("*.yaml"))


GROUPS = {
    folder.name: list_options(folder.name)
    for folder in sorted(CONF.iterdir())
    if folder.is_dir() and folder.name not in ("hydra", *PRESETS)
}
BASES = (
    "",
    *(f"{preset}={name}" for preset in PRESETS for name in list_options(preset)),
)


def list_words(base: str, swap: Swap) -> list[str]:
    """Returns a swap as it is typed."""
    return [*([base] if base else []), *(f"{g}={o}" for g, o in swap.items())]


def list_commands(hint: str) -> list[str]:
    """Returns what a hint says to type, each of which is a way by itself."""
    commands = []
    for word in _COMMAND.findall(hint):
        key, sign, value = word.partition("=")
        if value == "...":
            word = f"{key}={PLACES[key]}"
        commands.append(word.rstrip(".") if sign else key.rstrip("."))
    return commands


def read_preset(word: str) -> Plain:
    """Returns what `experiment=name` sets itself, its parents' values included."""
    preset, _, name = word.partition("=")
    if not name:
        return {}
    content = yaml.safe_load((CONF / preset / f"{name}.yaml").read_text())
    merged: Plain = {}
    for parent in content.pop("defaults", []):
        if isinstance(parent, str) and parent != "_self_":
            merged = lay_over(merged, _read_parent(preset, parent))
    return lay_over(merged, content)


def _read_parent(preset: str, parent: str) -> Plain:
    """Returns what a line of the defaults brings: of the same group, or `/file@key`."""
    if not parent.startswith("/"):
        return read_preset(f"{preset}={parent}")
    file, _, key = parent.removeprefix("/").partition("@")
    return {key: yaml.safe_load((CONF / f"{file}.yaml").read_text())}


def lay_over(under: Mapping[str, Any], over: Mapping[str, Any]) -> Plain:
    """Returns plain data with other data merged into it."""
    merged = dict(under)
    for key, value in over.items():
        former = merged.get(key)
        both = isinstance(former, Mapping) and isinstance(value, Mapping)
        merged[key] = lay_over(former, value) if both else value  # type: ignore[arg-type]
    return merged


def select(config: Plain, names: Sequence[str]) -> Any:
    """Returns what plain data has under a path."""
    return functools.reduce(operator.getitem, names, config)


def follow(value: Any, config: Plain) -> Any:
    """Returns plain data with `${key}` replaced: OmegaConf takes 8 ms for it."""
    if isinstance(value, dict):
        return {key: follow(part, config) for key, part in value.items()}
    linked = _LINK.fullmatch(value) if isinstance(value, str) else None
    return value if linked is None else select(config, linked[1].split("."))


@dataclass
class Swaps:
    """Composes this project's configs.

    Attributes:
        loader: Hydra's.
    """

    loader: Loader
    _bases: dict[str, Plain] = field(default_factory=dict)

    def compose(self, words: Sequence[str]) -> Plain:
        """Returns what Hydra composes, without its own node, unresolved."""
        whole = Composer(self.loader, "config").compose(words)
        plain: Any = OmegaConf.to_container(without_hydra(whole), resolve=False)
        return dict(plain)

    def check(self, words: Sequence[str]) -> list[Problem]:
        """Returns what is wrong with a command line, composed by Hydra."""
        return check_job(words, Composer(self.loader, "config")).problems

    @cached_property
    def nodes(self) -> dict[str, dict[str, Plain]]:
        """Each option as its file composes, by group and name; all of them at once."""
        words = [
            f"+{group}@{_EVERY}.{group}.{option}={option}"
            for group, options in GROUPS.items()
            for option in options
        ]
        nodes: dict[str, dict[str, Plain]] = self.compose(words)[_EVERY]
        return nodes

    def swap(self, base: str, swap: Swap) -> Plain:
        """Returns the config of a base with other options."""
        if base not in self._bases:
            self._bases[base] = self.compose(list_words(base, {}))
        config = copy.deepcopy(self._bases[base])
        own = read_preset(base)
        for group, option in swap.items():
            node = copy.deepcopy(self.nodes[group][option])
            config[group] = lay_over(node, own.get(group, {}))
        return config

    def check_swap(
        self, base: str, swap: Swap, typed: Sequence[str] = ()
    ) -> list[Problem]:
        """Returns what is wrong with a swap, and with what is typed beside it."""
        pairs = [word.partition("=") for word in typed]
        if any(key[0] in "~+" or key in GROUPS for key, _, _ in pairs):
            return self.check([*list_words(base, swap), *typed])
        config = self.swap(base, swap)
        for key, _, value in pairs:
            *parents, name = key.split(".")
            select(config, parents)[name] = yaml.safe_load(value)
        return find_problems(follow(config, config))


@contextmanager
def open_swaps(patch: Any) -> Iterator[Swaps]:
    """Opens Hydra for swaps; keeps what costs it most.

    Args:
        patch: Pytest's.
    """
    _spare_copies(patch)
    with open_hydra(create_config_search_path(str(CONF))) as hydra:
        yield Swaps(hydra.config_loader)


def _spare_copies(patch: Any) -> None:
    """Undoes the tests' memory of compositions, whose copies cost more than they."""
    from hydra._internal.config_loader_impl import ConfigLoaderImpl

    plain = ConfigLoaderImpl.load_configuration
    patch.setattr(
        ConfigLoaderImpl, "load_configuration", getattr(plain, "__wrapped__", plain)
    )
