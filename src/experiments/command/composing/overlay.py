"""Overrides typed beside `from_search`, laid over the config of the best trial.

A chosen file replaces its whole group, a value sets one key, and keys that follow
others, such as `${trainer.batch_size}`, go on following them.
"""

import copy
import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from experiments.config.kinds.paths import list_paths, locate, may_be_path
from experiments.config.reading.fields import find_incidental
from experiments.config.reading.values import settle_numbers
from experiments.config.schema.run import RunConfig

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override

# Where a job runs and is recorded and what it may run, not what it is: these are those
# of the command.
PRESENT = frozenset(
    {
        "allowed_targets",
        "output_dir",
        "max_disk_gb",
        "tracking",
        "gpu",
        "resume",
        "sweep",
        "plan",
    }
)
# What the command means by itself, beside the recorded config.
_OWN = PRESENT | {"from_search", "fresh", "name", "tags"}
_KEYS = {field.name for field in dataclasses.fields(RunConfig)}
_DELETED = "~"
_REMOVED = object()


def list_overlay(overrides: Sequence[str]) -> list["Override"]:
    """Returns what of a command line changes the recorded config."""
    from hydra.core.override_parser.overrides_parser import OverridesParser

    parsed = OverridesParser.create().parse_overrides(list(overrides))
    changing = [o for o in parsed if _path(o) != "task" and _top(o) not in _OWN]
    # `debug=null` chooses no file, as where nothing is typed.
    return [o for o in changing if o.value() is not None or _top(o) in _KEYS]


def describe_overlay(overrides: Sequence[str], run: RunConfig) -> dict[str, Any]:
    """Returns what tells a job from others that begin with the same recorded config.

    Args:
        overrides: As typed; empty where there is no recorded config.
        run: The composed config.
    """
    if run.from_search is None:
        return {}
    located = dict(list_paths(run))
    described: dict[str, Any] = {}
    for override in list_overlay(overrides):
        path, value = _path(override), override.value()
        if override.is_delete():
            described[path] = _DELETED
            continue
        leaves = dict(_list_leaves(value, path)) or {path: value}
        described |= {k: located.get(k) or _settle(k, v) for k, v in leaves.items()}
    return {k: v for k, v in described.items() if not find_incidental(RunConfig, k)}


def _settle(key: str, value: object) -> object:
    """Returns a typed value as the config of the best trial will have it."""
    if isinstance(value, str) and may_be_path(key, value, RunConfig):
        return locate(value)
    return settle_numbers(value)


def find_links(config: DictConfig) -> dict[str, str]:
    """Returns the keys of a config that follow others: key -> interpolation."""
    plain = OmegaConf.to_container(config, resolve=False)
    return {
        key: value
        for key, value in _list_leaves(plain, "")
        if isinstance(value, str) and "${" in value
    }


def lay_over(
    recorded: Mapping[str, Any],
    overlay: Sequence["Override"],
    *,
    composed: Mapping[str, Any],
    links: Mapping[str, str],
) -> dict[str, Any]:
    """Returns a recorded config with typed overrides applied.

    Args:
        recorded: Resolved, as plain data.
        overlay: As typed.
        composed: What the command line composes to by itself, likewise.
        links: Keys of that which follow others.
    """
    config = OmegaConf.create(copy.deepcopy(dict(recorded)))
    followed = {key for key, text in links.items() if _follows(config, key, text)}
    present = OmegaConf.create(copy.deepcopy(dict(composed)))
    for override in overlay:
        typed = _REMOVED if override.is_delete() else override.value()
        for path, value in _list_values(_path(override), typed):
            _set(config, path, present, default=value)
            followed |= {k for k in links if k == path or k.startswith(f"{path}.")}
    for key in followed:
        if OmegaConf.select(config, key, default=None) is not None:
            OmegaConf.update(config, key, links[key])
    resolved: Any = OmegaConf.to_container(config, resolve=True)
    return dict(resolved)


def _set(config: DictConfig, path: str, present: DictConfig, *, default: Any) -> None:
    """Sets a key as it is in `present`; one that had no place there as typed.

    Args:
        config: Is changed.
        path: The key.
        present: What the command line composes to by itself.
        default: The typed value, or that the key is to be removed.
    """
    parent, _, name = path.rpartition(".")
    node = OmegaConf.select(present, parent) if parent else present
    if isinstance(node, DictConfig) and name in node:
        OmegaConf.update(config, path, node[name], merge=False, force_add=True)
    elif default is not _REMOVED:
        OmegaConf.update(config, path, default, merge=False, force_add=True)
    else:
        former = OmegaConf.select(config, parent) if parent else config
        if isinstance(former, DictConfig):
            former.pop(name, None)


def _follows(config: DictConfig, key: str, text: str) -> bool:
    """Tells whether a key has the value that its interpolation gives."""
    value = OmegaConf.select(config, key, default=None)
    linked = config.copy()
    try:
        OmegaConf.update(linked, key, text)
        return bool(OmegaConf.select(linked, key) == value)
    except OmegaConfBaseException:
        return False


def _path(override: "Override") -> str:
    return override.key_or_group.replace("/", ".")


def _top(override: "Override") -> str:
    return _path(override).partition(".")[0]


def _list_values(path: str, value: object) -> Iterator[tuple[str, object]]:
    """Yields the keys that an override sets: those inside of a mapping."""
    if not isinstance(value, dict) or not value:
        yield path, value
        return
    for name, part in value.items():
        yield from _list_values(f"{path}.{name}", part)


def _list_leaves(value: object, key: str) -> Iterator[tuple[str, object]]:
    if not isinstance(value, Mapping):
        yield key, value
        return
    for name, part in value.items():
        yield from _list_leaves(part, f"{key}.{name}" if key else str(name))
