"""What somebody may have meant who typed a key or a file that does not exist.

It is looked for once something is wrong: beside the key, on other levels of the config,
among what other projects call it, and among similar names, in this order.
"""

import dataclasses
import difflib
import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_origin

from hydra._internal.config_repository import IConfigRepository
from hydra.core.object_type import ObjectType
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from experiments.command.answers.owners import list_owners
from experiments.command.composing.loader import Loader
from experiments.command.typed.task_keys import list_own_keys
from experiments.config.checks.unused import uses
from experiments.config.code.programs import name_command
from experiments.config.reading.convert import may_take
from experiments.config.reading.fields import is_component, schemas_of
from experiments.config.reading.values import read_value
from experiments.config.schema.augment import AUGMENTS
from experiments.config.schema.models.applications import find_architecture
from experiments.config.schema.run import RunConfig
from experiments.config.schema.task import TASKS
from experiments.config.synonyms import (
    find_keys,
    find_note,
    find_option,
    find_switch,
    find_value,
    list_names,
    normalise,
)
from experiments.secret_names import is_secret_name

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override

_MOST_SHOWN = 80  # letters of a value that is typed again
_SIMILAR, _ALIKE = 0.6, 0.8  # beside a key, and anywhere
_FOLDER = "dataset.path"
_TASK = "task."
_TABLES = (".csv", ".tsv", ".parquet")
_NO_KEYS = {"_target_", "extra"}
_OF_HYDRA = ("hydra.sweeper", "hydra.launcher")  # where a person sets more than one
_BASIC = ("BasicSweeper", "BasicLauncher")
_NAMES_OF_FILES = {"name", "type", "id", "class", "target", "cls"}
_PATH = re.compile(r"[~.]?\.?/.*|~.*|[A-Za-z]:\\.*|.*/.*", re.DOTALL)


@dataclasses.dataclass(frozen=True)
class Known:
    """What there is to be meant.

    Attributes:
        config: As far as it is composed.
        folders: Where its files are.
        absent: Keys in it that nothing declares.
    """

    config: DictConfig
    folders: IConfigRepository
    absent: frozenset[str] = frozenset()

    def list_options(self, group: str) -> list[str]:
        """Returns the files of a group."""
        found: list[str] = self.folders.get_group_options(group)
        return found

    def list_groups(self) -> list[str]:
        """Returns the groups that are no part of another."""
        found = self.folders.get_group_options("", ObjectType.GROUP)
        return [name for name in found if name != "hydra"]

    def list_keys(self) -> list[str]:
        """Returns the keys of the config, and its groups."""
        found = [*self.list_groups(), *_list_paths(self.config, "")]
        for name in _OF_HYDRA:
            part = OmegaConf.select(self.config, name)
            if not OmegaConf.is_dict(part):
                continue  # something else was typed, or it is absent
            if not str(part.get("_target_")).endswith(_BASIC):
                found += self.list_below(name)
        return self._without_absent(dict.fromkeys(found))

    def list_below(self, key: str) -> list[str]:
        """Returns the keys inside of one."""
        part = OmegaConf.select(self.config, key)
        found = _list_paths(part, f"{key}.") if OmegaConf.is_dict(part) else ()
        return self._without_absent(found)

    def _without_absent(self, paths: Iterable[str]) -> list[str]:
        below = tuple(f"{key}." for key in self.absent)
        return [p for p in paths if p not in self.absent and not p.startswith(below)]

    def list_own(self) -> list[str]:
        """Returns the keys of the chosen task that may be typed without `task.`."""
        return [f"{_TASK}{name}" for name in sorted(list_own_keys(self.config))]


def look_around(
    loader: Loader, config_name: str, typed: Sequence["Override"] = ()
) -> Known:
    """Returns what there is, beside the words that can be composed.

    Args:
        loader: Composes.
        config_name: The primary config.
        typed: What was read of a command line.
    """
    read = [o for o in typed if o.key_or_group and not o.is_sweep_override()]
    words = [o.input_line or "" for o in read]
    for given in (words, []):
        try:
            config = loader.load_configuration(config_name, given, RunMode.RUN)
            return Known(config, loader.folders)
        except Exception:  # noqa: S112 - of many kinds; told when the job is composed
            continue
    return Known(OmegaConf.create(), loader.folders)


def suggest_key(
    key: str, typed: str | None, known: Known, *, rest: str = "", sign: str = ""
) -> str:
    """Returns what to type in place of a key; empty when nobody can tell.

    Args:
        key: That does not exist.
        typed: Its value as typed; `None` for a key that has none.
        known: What there is.
        rest: What was typed behind the key, such as `.patience`.
        sign: `~` where the key was to be taken out.
    """
    parent, _, name = key.rpartition(".")
    if parent in known.list_groups() and name in _NAMES_OF_FILES:
        targets = [parent]
    else:
        targets = find_targets(key, known)
    if not targets:
        return find_note(name)
    targets = [target if "=" in target else target + rest for target in targets]
    words = [write_word(t, typed, known, name=name, sign=sign) for t in targets]
    if not parent:
        own = known.list_own()
        pairs = zip(words, targets, strict=True)
        words = [w.replace(_TASK, "", 1) if t in own else w for w, t in pairs]
    shown = " or ".join(f"`{word}`" for word in dict.fromkeys(words))
    return f"Did you mean {shown}?{_tell_owners(targets[0], known)}"


def _tell_owners(target: str, known: Known) -> str:
    """Returns what to choose for a key that the present choice of its group lacks."""
    group, _, name = target.partition("=")[0].partition(".")
    is_folder = target == _FOLDER  # whose word chooses it too
    if not name or is_folder or f"{group}.{name}" in known.list_keys():
        return ""
    owners = ", ".join(list_owners(group, name, known.folders))
    return f" It is a key of {group}={owners}." if owners else ""


def find_targets(key: str, known: Known, *, alike: bool = True) -> list[str]:
    """Returns the keys that may be meant, two at most.

    Args:
        key: That does not exist.
        known: What does.
        alike: Whether similar names count too.
    """
    parent, _, name = key.rpartition(".")
    is_hydras = parent.startswith("hydra.")
    present = known.list_below(parent) if is_hydras else known.list_keys()
    beside = [path for path in present if path.rpartition(".")[0] == parent]
    own = [] if parent else known.list_own()
    beside += own
    plain = normalise(name)
    declared = () if is_hydras else _declared()
    others = [path for path in declared if path not in present]
    found = (
        _named(plain, beside)
        or [
            target
            for target in find_keys(name)
            if _is_there(target, [*present, *others]) and _is_used(target, known)
        ]
        or _named(plain, present)
        or (_similar(plain, own, _ALIKE) if alike else [])
        or _named(plain, others)
    )
    if not found and alike and not find_note(name):
        found = _similar(plain, beside, _SIMILAR) or _alike(plain, present, others)
    return _shallowest(found)[:2]


def write_word(
    target: str, typed: str | None, known: Known, *, name: str = "", sign: str = ""
) -> str:
    """Returns an override as a shell takes it.

    Args:
        target: The key, or a whole word.
        typed: The value as it was typed; empty where it was left out.
        known: What there is.
        name: What the key was called.
        sign: In front of it.
    """
    if "=" in target or sign == "~":
        return f"{sign}{target}"
    if typed is None:
        return target
    if target in known.list_groups():
        return _write_choice(target, typed, known)
    if target == _FOLDER and target not in known.list_keys() and typed:
        return write_images(typed)
    if not typed and isinstance(OmegaConf.select(known.config, target), bool):
        return f"{target}=true"
    is_secret = is_secret_name(target) or is_secret_name(name)
    if not typed or is_secret or len(typed) > _MOST_SHOWN:
        return f"{target}=..."
    value = find_value(target, typed, name=name)
    is_named = target.startswith(("augment.", "callbacks."))
    if value is None and is_named and target.count(".") == 1:
        value = "null" if find_switch(typed) is False else None
    if value is None:
        value = typed if _fits(target, typed) else "..."
    return shlex.quote(f"{target}={value}") if value != "..." else f"{target}=..."


def _fits(target: str, typed: str) -> bool:
    """Tells whether a value that somebody typed for another key fits this one."""
    try:
        value = read_value(typed)
    except HydraException:  # a path or a text, or several values
        return True
    # Several values are a `Sweep`, of which each job is checked.
    plain = value is None or isinstance(value, bool | int | float | str)
    return not plain or may_take(target, value, RunConfig)


def suggest_option(group: str, name: str, known: Known) -> str:
    """Returns what to type in place of a file that a group does not have.

    Args:
        group: Such as `model`.
        name: As typed.
        known: What there is.
    """
    option = _find_option(group, name, known)
    if group == "model" and (words := _write_architecture(name, option)):
        return f"Did you mean `{words}`?"
    if option is not None:
        return f"Did you mean `{option}`?"
    if group == "dataset" and is_path(name):
        return f"Did you mean `{write_images(name)}`?"
    if group == "dataset":
        is_table = name.lower().endswith(_TABLES)
        what = "A table of images" if is_table else "A folder of images"
        return f"{what} is {write_images(name)}"
    if (note := find_note(name)) and group in ("task", "experiment"):
        return note
    if group == "model":
        begin = f"{name_command()} init my_project"
        return f"For one of your own see docs/extending.md, or begin with: {begin}"
    return ""


def is_path(text: str) -> bool:
    """Tells whether a text names a folder rather than a file of a group."""
    if _PATH.fullmatch(text):
        return True
    try:
        return bool(text) and Path(text).is_dir()
    except (OSError, ValueError):
        return False


def _write_choice(group: str, name: str, known: Known) -> str:
    if name in known.list_options(group) or name == "null":
        return f"{group}={name}"
    found = [_find_option(group, part, known) for part in name.split(",")]
    if found[1:] and all(found):
        return f"{group}={','.join(filter(None, found))}"
    option = _find_option(group, name or "true", known)
    if group == "model" and (words := _write_architecture(name, option)):
        return words
    if option is not None:
        return f"{group}={option}"
    if group == "dataset" and name:
        return write_images(name)
    return f"{group}=..."


def _write_architecture(name: str, option: str | None) -> str:
    """Returns the overrides for an architecture of Keras, if no file has its name."""
    found = find_architecture(name)
    if found is None or normalise(option or "") == normalise(name):
        return ""
    return f"model=keras_application model.architecture={found}"


def write_images(path: str) -> str:
    """Returns the overrides that read images of one's own, or a table of them."""
    if path.lower().endswith(_TABLES):
        return f"dataset=table {shlex.quote(f'dataset.table={path}')}"
    return f"dataset=folder {shlex.quote(f'dataset.path={path}')}"


def _find_option(group: str, name: str, known: Known) -> str | None:
    """Returns the file of a group that is meant by a name, or by a path to it."""
    options = known.list_options(group)
    last = name.rpartition("/")[2].removesuffix(".yaml").removesuffix(".yml")
    plain = normalise(last)
    by_name = {normalise(option): option for option in options}
    # `torch.optim.SGD` and `resnet50.a1_in1k` too, but no folder with a dot in it.
    parts = re.split("[.:]", last) if group != "dataset" else []
    for part in [last, *reversed(parts)]:
        if normalise(part) in by_name:
            return by_name[normalise(part)]
        if (called := find_option(group, part)) in options:
            return called
    # `resnet20` is no resnet200, but the one of CIFAR's.
    begun = [n for n in by_name if plain[-1:].isdigit() and _continues(n, plain)]
    found = begun or difflib.get_close_matches(plain, by_name, n=1, cutoff=_SIMILAR)
    return by_name[found[0]] if found and not is_path(name) else None


def _continues(name: str, beginning: str) -> bool:
    """Tells whether a name goes on behind a number that it begins with."""
    rest = name.removeprefix(beginning)
    return rest not in (name, "") and not rest[0].isdigit()


def _named(plain: str, paths: Sequence[str]) -> list[str]:
    return [path for path in paths if normalise(path.rpartition(".")[2]) == plain]


def _similar(plain: str, paths: Sequence[str], cutoff: float) -> list[str]:
    names = [normalise(path.rpartition(".")[2]) for path in paths]
    found = difflib.get_close_matches(plain, names, n=1, cutoff=cutoff)
    return _named(found[0], paths) if found else []


def _alike(plain: str, present: Sequence[str], others: Sequence[str]) -> list[str]:
    """Returns what has a similar name somewhere, here or elsewhere."""
    if len(plain) < 4:  # any three letters are like some other three
        return []
    if found := _similar(plain, present, _ALIKE):
        return found
    called = difflib.get_close_matches(plain, list_names(), n=1, cutoff=_ALIKE)
    if called:
        everything = [*present, *others]
        return [t for t in find_keys(called[0]) if _is_there(t, everything)]
    return _similar(plain, others, _ALIKE)


def _is_used(target: str, known: Known) -> bool:
    """Tells whether the chosen task uses a key; one of a person's own may use any."""
    task = TASKS.get(str(OmegaConf.select(known.config, "task._target_")))
    return (
        target.startswith(_OF_HYDRA)
        or task is None
        or uses(task, re.split(r"[.=]", target)[0])
    )


def _is_there(target: str, paths: Sequence[str]) -> bool:
    return target.partition("=")[0] in paths


def _shallowest(paths: Sequence[str]) -> list[str]:
    """Returns the keys of the fewest levels, in their order."""
    least = min((path.count(".") for path in paths), default=0)
    return [path for path in paths if path.count(".") == least]


def _list_paths(node: DictConfig, prefix: str) -> Iterator[str]:
    """Yields the keys of a config, resolving nothing."""
    for name in node:
        if name in ("_target_", "hydra") or not isinstance(name, str):
            continue
        yield prefix + name
        part: Any = node._get_node(name)
        if OmegaConf.is_dict(part) and not (part._is_none() or part._is_missing()):
            yield from _list_paths(part, f"{prefix}{name}.")


def _list_keys(prefix: str, schema: Any) -> list[str]:
    names = [part.name for part in dataclasses.fields(schema)]
    return [f"{prefix}.{name}" for name in names if name not in _NO_KEYS]


@cache
def _declared() -> tuple[str, ...]:
    """Returns the keys that some choice of a group has, those of callbacks excepted.

    An augmentation is called as its module is.
    """
    found: list[str] = []
    for field in dataclasses.fields(RunConfig):
        if is_component(field) and get_origin(field.type) is not dict:
            for schema in schemas_of(field):
                found += _list_keys(field.name, schema)
    for target, schema in AUGMENTS.items():
        found += _list_keys(f"augment.{target.split('.')[-2]}", schema)
    return tuple(dict.fromkeys(found))
