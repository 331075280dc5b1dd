"""Which file a mistake comes from, and whose key it is that nothing declares.

A file of `conf/experiment/` may set keys of an option that it chooses. Whoever types
another option keeps these keys, and is told which they are and how to go without.
"""

import dataclasses
import os
import re
import shlex
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from hydra.core.override_parser.types import QuotedString
from hydra.errors import HydraException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from experiments.command.answers.owners import (
    divide_names,
    has_key,
    list_owners,
    read_bytes,
)
from experiments.command.composing.loader import Loader
from experiments.command.config_folders.permission import ConfigFile
from experiments.config.formats.history import find_name
from experiments.config.reading.convert import UnknownKey, unknown_key
from experiments.config.reading.fields import OpenTarget, is_component
from experiments.config.schema.run import RunConfig
from experiments.errors import Problem
from experiments.secret_names import is_secret_name

if TYPE_CHECKING:
    from experiments.command.answers.suggestion import Known

_COMES = "It comes from"
_OF_SWEEPS = ("hydra.", "sweep.zip", "sweep.list")
_PARAMS = "hydra.sweeper.params"
_FOLLOWED = re.compile(r"\$\{([\w.]+)\}")
_INDEX = re.compile(r"\[\d+\]")


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
    words: Sequence[str],
    refused: Collection[str] = (),
) -> list[Problem]:
    """Returns problems with the file that each comes from, and what was meant.

    Args:
        problems: Of a config.
        whole: That config with Hydra's own node.
        loader: Has composed it.
        words: The overrides of the job, Hydra's own keys among them.
        refused: Keys that were typed and that no file has: to look for them in the
            files, each of which is read for it, would be in vain.
    """
    typed = _read_typed(words, loader) if problems else {}
    absent = frozenset(p.key for p in problems if isinstance(p, UnknownKey))
    found: list[Problem] = []
    for problem in _without_followers(problems, whole):
        vain = problem.key in refused or _is_told(problem) or _value_of(problem, typed)
        place = None if vain else find_place(problem.key, _list_used(whole, loader))
        if isinstance(problem, UnknownKey):
            # What lists other names is read once something is wrong.
            from experiments.command.answers.suggestion import Known

            known = Known(whole, loader.folders, absent)
            found.append(_trace(problem, known, loader, typed=typed, place=place))
        else:
            found.append(_add_place(problem, place))
    return found


def trace_sweeper(
    problems: Sequence[Problem],
    base: DictConfig,
    loader: Loader,
    *,
    words: Sequence[str],
) -> list[Problem]:
    """Returns problems of what a sweep or a search varies with the file of each.

    Args:
        problems: Of its jobs, of its space, or of Hydra's own node.
        base: What it varies, with Hydra's own node.
        loader: Has composed it.
        words: What was typed.
    """
    typed = _read_typed(words, loader)
    found: list[Problem] = []
    for problem in problems:
        keys = [f"{_PARAMS}.{problem.key}"]
        keys += [problem.key] if problem.key.startswith(_OF_SWEEPS) else []
        if _is_told(problem) or _value_of(problem, typed) or _PARAMS in typed:
            keys = []
        files = _list_used(base, loader) if keys else []
        places = filter(None, (find_place(key, files) for key in keys))
        found.append(_add_place(problem, next(places, None)))
    return found


def _list_used(config: DictConfig, loader: Loader) -> Sequence[ConfigFile]:
    """Returns the files of a config; none where they cannot be told a second time."""
    try:
        return loader.list_used(config)
    except (HydraException, OmegaConfBaseException):
        return ()


def _without_followers(
    problems: Sequence[Problem], whole: DictConfig
) -> Iterator[Problem]:
    """Yields problems but those of a key that follows one which has the same."""
    told = {(problem.key, problem.message) for problem in problems}
    for problem in problems:
        written = _select_raw(whole, problem.key)
        followed = _FOLLOWED.fullmatch(written) if isinstance(written, str) else None
        first = problem.key if followed is None else followed[1]
        if first == problem.key or (first, problem.message) not in told:
            yield problem


def _select_raw(node: Any, key: str) -> Any:
    """Returns the value of a key as it was written; `None` where there is none."""
    for name in key.split("."):
        if not has_key(node, [name]):
            return None
        node = node._get_node(name)
    return node._value()


def _read_typed(words: Sequence[str], loader: Loader) -> dict[str, str | None]:
    """Returns the keys that were typed, each with the word of its value."""
    typed: dict[str, str | None] = {}
    for override in loader.parse(words):
        _, equals, value = (override.input_line or "").partition("=")
        if isinstance(override._value, QuotedString):
            value = _unquote(override._value.text, value, loader)
        typed[override.key_or_group.replace("/", ".")] = value if equals else None
    return typed


def _unquote(text: str, quoted: str, loader: Loader) -> str:
    """Returns a text that no grammar reads without the quotes that it was given."""
    try:
        loader.parse([f"key={text}"])
    except HydraException:
        return text
    return quoted


def _value_of(problem: Problem, typed: Mapping[str, str | None]) -> bool:
    """Tells whether the value of a key was typed, or a mapping around it."""
    names = _INDEX.sub("", problem.key).split(".")
    return any(".".join(names[:n]) in typed for n in range(len(names), 1, -1)) or (
        len(names) == 1 and names[0] in typed
    )


def _is_told(problem: Problem) -> bool:
    """Tells whether there is no place, or it is named already."""
    return problem.message == "is missing." or _COMES in problem.message


def _add_place(problem: Problem, place: Place | None) -> Problem:
    if place is None:
        return problem
    return replace(problem, message=f"{problem.message} {_COMES} {place}.")


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
    names = _INDEX.sub("", key).split(".")
    for file in reversed(files):
        if has_key(file.config, names):
            path = Path(str(file))
            return Place(path, _find_line(path, names))
    return None


def find_choice(
    where: str | None, group: str, name: str, loader: Loader
) -> Place | None:
    """Returns the line of a file that chooses a file of a group.

    Args:
        where: The choosing one, inside of its folder; `None` where it was typed.
        group: Of the chosen one.
        name: Of the chosen one.
        loader: Reads files.
    """
    if where is None:
        return None
    folders = [s.path for s in loader.folders.get_sources() if s.scheme() == "file"]
    choice = rf"/?{re.escape(group)}(@\S+)?:.*\b{re.escape(name)}\b"
    parent = rf"(defaults:.*|-\s*)\b{re.escape(name)}\b"
    own = [
        path for folder in folders if (path := Path(folder, f"{where}.yaml")).exists()
    ]
    found = [*_grep(choice, own), *_grep(parent, own)]
    # Hydra names the file that chose first, not the one that overrides it.
    others = (
        path for folder in folders for path in sorted(Path(folder).rglob("*.yaml"))
    )
    found = found or list(_grep(rf"override\s+{choice}", others))
    return found[0] if found else None


def _grep(pattern: str, paths: Iterable[Path]) -> Iterator[Place]:
    """Yields the places where a line holds a pattern."""
    for path in paths:
        lines = read_bytes(path).decode("utf-8", "replace").splitlines()
        for number, line in enumerate(lines, start=1):
            if re.search(pattern, line.partition("#")[0]):
                yield Place(path, number)


def _trace(
    problem: UnknownKey,
    known: "Known",
    loader: Loader,
    *,
    typed: Mapping[str, str | None],
    place: Place | None,
) -> Problem:
    """Returns what is wrong with a key that nothing declares."""
    key, whole = problem.key, known.config
    source = "" if place is None else f" {_COMES} {place}."
    if find_name(key) is not None:  # which the hint tells
        return replace(problem, message=problem.message + source)
    group, _, name = key.partition(".")
    owners = list(list_owners(group, name, loader.folders)) if group in whole else []
    if not owners:
        hint = _suggest(problem, known, typed) or problem.hint
        return replace(problem, message=problem.message + source, hint=hint)
    chosen = whole.hydra.runtime.choices.get(group)
    taken = f"the chosen {group}" if chosen is None else f"{group}={chosen}"
    reason = f"is not a key of {taken} but of {group}={', '.join(owners)}.{source}"
    if place is not None:
        hint = f"To go without it, type ~{key}"
    elif owners[1:]:
        hint = "Leave it out, or choose one of these."
    else:
        both = f"'{group}=[{chosen or '...'},{owners[0]}]'"
        is_list = group in ("augment", "callbacks") and chosen != "none"
        word = both if is_list else f"{group}={owners[0]}"
        hint = f"Leave it out, or type {word}"
    return replace(problem, message=reason, hint=hint)


def _suggest(
    problem: UnknownKey,
    known: "Known",
    typed: Mapping[str, str | None],
) -> str:
    """Returns what was meant by a key; empty when it is told already, or unknown."""
    if problem.hint.startswith("It is called"):
        return ""
    key = problem.key
    word = next((k for k in typed if k == key or k.startswith(f"{key}.")), None)
    value = None if word is None else typed[word]
    is_open = problem.hint.startswith("To add it")
    if is_open and not key.startswith("augment."):  # which is empty for `none`
        return _add(key, value)
    rest = "" if word is None else word.removeprefix(key)
    sign = "" if word is None or value is not None else "~"
    from experiments.command.answers.suggestion import suggest_key

    meant = suggest_key(key, value, known, rest=rest, sign=sign)
    return meant or (_add(key, value) if is_open else "")


def _add(key: str, value: str | None) -> str:
    shown = value if value and not is_secret_name(key) else "..."
    return f"To add it, type {shlex.quote(f'+{key}={shown}')}"


def _is_set(key: str, files: Sequence[ConfigFile]) -> bool:
    return any(has_key(file.config, key.split(".")) for file in files)


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
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    for name, rest in divide_names(names):
        for key, value in pairs:
            if key.value == name:
                line = _walk(value, rest) if rest else int(key.start_mark.line) + 1
                if line is not None:
                    return line
    return None
