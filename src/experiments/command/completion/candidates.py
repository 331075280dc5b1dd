"""What a word that has been begun may become.

Hydra's own completion lists its plugins first, offers no choices of a value, and knows
neither flags nor a second value of a sweep. A word is completed beside those before it,
as it would be composed.
"""

import re
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.core.object_type import ObjectType
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from experiments.command.completion.choices import list_choices
from experiments.command.typed.task_keys import list_own_keys, name_task_keys
from experiments.errors import ExperimentError

if TYPE_CHECKING:
    from experiments.command.composing.loader import Loader

_VERBS = ("init", "trust", "distrust")
_PARTS = "parts"  # of files, which nobody chooses
_FOLDER_FLAGS = ("--config-dir", "-cd", "--config-path", "-cp")
_PLAIN = re.compile(r"[\w./:@%+\[\],-]+", re.ASCII)


def list_flags(parser: ArgumentParser, before: Sequence[str], begun: str) -> list[str]:
    """Returns flags, and what may follow one.

    Args:
        parser: Of the command line.
        before: The words before.
        begun: The beginning of the word.
    """
    last = before[-1] if before else ""
    if last in _FOLDER_FLAGS:
        return [path for path in list_paths(begun) if path.endswith("/")]
    actions = {name: action for action in parser._actions for name in _names(action)}
    if last in actions and actions[last].choices and actions[last].nargs is None:
        return [str(c) for c in actions[last].choices or () if str(c).startswith(begun)]
    if not begun.startswith("-"):
        return []
    return sorted(name for name in actions if name.startswith(begun))


def _names(action: Any) -> Sequence[str]:
    names: Sequence[str] = action.option_strings
    return [name for name in names if name.startswith("--")] or names


def list_words(
    loader: "Loader", args: Namespace, before: Sequence[str], begun: str
) -> list[str]:
    """Returns what a word may become that is no flag.

    Args:
        loader: Composes.
        args: The flags.
        before: The overrides before.
        begun: The beginning of the word.
    """
    sign = begun[:1] if begun[:1] in ("+", "~") else ""
    word = begun.removeprefix(sign)
    key, equals, value = word.partition("=")
    context = _Context(loader, args, before)
    if equals:
        # Of several values, and in a list, the last one is being typed.
        whole, last = re.fullmatch(r"(.*[,\[])?([^,\[]*)", value, re.DOTALL).groups()  # type: ignore[union-attr]
        found = context.list_values(key, last)
        return sorted(f"{sign}{key}={whole or ''}{value}" for value in set(found))
    found = [*context.list_groups(word), *context.list_keys(word)]
    if not before and not sign:
        found += [verb for verb in _VERBS if word and verb.startswith(word)]
    if sign == "~":
        found = [name.removesuffix("=") for name in found]
    return sorted(f"{sign}{name}" for name in set(found))


def list_paths(begun: str) -> list[str]:
    """Returns the files and folders whose path begins so; folders end in a slash."""
    folder, slash, name = begun.rpartition("/")
    root = Path(folder + slash).expanduser()
    try:
        found = [path for path in root.iterdir() if path.name.startswith(name)]
        shown = [path for path in found if name or path.name[0] != "."]
        ends = [f"{path.name}/" if path.is_dir() else path.name for path in shown]
    except (OSError, RuntimeError):
        return []
    return sorted(folder + slash + end for end in ends)


class _Context:
    """What the words before make of the config.

    Args:
        loader: Composes.
        args: The flags.
        before: The overrides before.
    """

    def __init__(
        self, loader: "Loader", args: Namespace, before: Sequence[str]
    ) -> None:
        self._loader, self._args, self._before = loader, args, list(before)
        self._config: DictConfig | None = None

    def list_groups(self, begun: str) -> Iterator[str]:
        """Yields `group=` and `folder/` that begin so."""
        parent, _, _ = begun.rpartition("/")
        for name in self._options(parent, ObjectType.GROUP):
            path = f"{parent}/{name}" if parent else name
            if not path.startswith(begun) or name == _PARTS:
                continue
            if self._options(path, ObjectType.CONFIG):
                yield f"{path}="
            if set(self._options(path, ObjectType.GROUP)) - {_PARTS}:
                yield f"{path}/"

    def list_keys(self, begun: str) -> Iterator[str]:
        """Yields `key=` and `node.` that begin so."""
        parent, dot, _ = begun.rpartition(".")
        node = self._select(parent)
        if not isinstance(node, DictConfig):
            return
        own = () if parent else self._list_own()
        yield from (f"{name}=" for name in own if name.startswith(begun))
        for name in map(str, node):
            path = f"{parent}{dot}{name}"
            if path.startswith(begun) and name != "_target_":
                value = node._get_node(name)
                is_node = isinstance(value, DictConfig) and not value._is_none()
                yield f"{path}." if is_node else f"{path}="

    def list_values(self, key: str, begun: str) -> list[str]:
        """Returns the files of a group, or what a key may be, that begin so."""
        if options := self._options(key, ObjectType.CONFIG):
            return [name for name in options if name.startswith(begun)]
        key = f"task.{key}" if key in self._list_own() else key
        parent, _, name = key.rpartition(".")
        node = self._select(parent)
        if not isinstance(node, DictConfig) or name not in node.keys():  # noqa: SIM118
            return []  # a key without a value is one
        choices = list_choices(self._compose(), key)
        if choices is None:  # a path
            return list_paths(begun)
        present = _describe(node, name)
        found = [*choices, *([] if present is None else [present])]
        return [value for value in found if value.startswith(begun)]

    def _options(self, group: str, kind: ObjectType) -> list[str]:
        # Without composing anything, unless a folder was typed as `hydra.searchpath`.
        if any(word.startswith("hydra.searchpath=") for word in self._before):
            self._compose()
        found: list[str] = self._loader.folders.get_group_options(group, kind)
        return found

    def _select(self, key: str) -> Any:
        config = self._compose()
        try:
            return OmegaConf.select(config, key) if key else config
        except (OmegaConfBaseException, HydraException):
            return None

    def _list_own(self) -> list[str]:
        """Returns the keys of the chosen task that need no `task.`."""
        own = sorted(list_own_keys(self._compose()))
        return [name for name in own if not self._options(name, ObjectType.CONFIG)]

    def _compose(self) -> DictConfig:
        """Returns the config; words that it can't be composed with are left out."""
        if self._config is None:
            name = self._args.config_name
            named = name_task_keys(self._before, self._loader, name)
            choosing = [w for w in self._before if self._is_choice(w)]
            for words in (named, choosing, []):
                try:
                    self._config = self._loader.load_configuration(
                        name, words, RunMode.MULTIRUN
                    )
                    break
                except (HydraException, OmegaConfBaseException, ExperimentError):
                    continue
            else:
                self._config = OmegaConf.create({})
        return self._config

    def _is_choice(self, word: str) -> bool:
        key, equals, value = word.partition("=")
        return bool(equals) and value in self._options(key, ObjectType.CONFIG)


def _describe(node: DictConfig, name: str) -> str | None:
    """Returns a value as it would be typed; `None` for one that needs quotes."""
    try:
        value = node[name]
    except OmegaConfBaseException:
        return None
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, ListConfig):
        value = f"[{','.join(map(str, value))}]"
    text = str(value)
    return text if _PLAIN.fullmatch(text) else None
