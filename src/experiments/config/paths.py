"""Paths of a config, absolute and by one name wherever the command was typed."""

import dataclasses
import os
from collections.abc import Iterator, Mapping
from typing import Any, get_origin

from experiments.config.fields import is_component, is_path, schema_for, schemas_of

_MISSING = "???"


def locate(path: str) -> str:
    """Returns the one name of a file or folder: absolute, without links and `~`.

    A relative path starts where the command was typed: Hydra tells where that was, for
    a job may run in another folder (`hydra.job.chdir=true`) and in another process. An
    empty text and an address such as `s3://bucket` stay what they are.
    """
    from hydra.utils import to_absolute_path

    if not path.strip() or "://" in path:
        return path
    # `Path.expanduser` would raise for a user that does not exist.
    expanded = os.path.expanduser(path)  # noqa: PTH111
    return os.path.realpath(to_absolute_path(expanded))


def locate_paths(plain: Mapping[str, Any], schema: type) -> dict[str, Any]:
    """Returns plain data whose paths are located; the rest is as it was.

    Args:
        plain: What was composed, of one dataclass and valid or not.
        schema: The dataclass; fields that `setting(path=True)` declares are paths.
    """
    located = dict(plain)
    for field in dataclasses.fields(schema):
        if field.name in located:
            located[field.name] = _locate_field(located[field.name], field)
    for name in getattr(schema, "open_paths", ()):
        if isinstance(located.get(name), str):
            located[name] = locate(located[name])
    return located


def list_paths(config: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yields the dotted key and the value of each path of a checked config."""
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if is_path(field) and isinstance(value, str):
            yield prefix + field.name, value
        elif dataclasses.is_dataclass(value):
            yield from list_paths(value, f"{prefix}{field.name}.")
    for name in getattr(config, "open_paths", ()):
        if isinstance(config.extra.get(name), str):
            yield prefix + name, config.extra[name]


def may_be_path(key: str, schema: type) -> bool:
    """Tells whether some choice of a group has a path by this dotted key.

    Args:
        key: Such as `dataset.path`.
        schema: The dataclass of the whole config.
    """
    top, _, name = key.partition(".")
    groups = {field.name: field for field in dataclasses.fields(schema)}
    if top not in groups or not is_component(groups[top]):
        return False
    return any(name in _list_names(choice) for choice in schemas_of(groups[top]))


def _list_names(schema: Any) -> list[str]:
    names = [field.name for field in dataclasses.fields(schema) if is_path(field)]
    return [*names, *getattr(schema, "open_paths", ())]


def _locate_field(value: Any, field: dataclasses.Field[Any]) -> Any:
    if is_path(field) and isinstance(value, str) and value != _MISSING:
        return locate(value)
    if not isinstance(value, Mapping):
        return value
    if is_component(field):
        if get_origin(field.type) is not dict:
            return locate_paths(value, schema_for(field, value))
        return {
            name: locate_paths(part, schema_for(field, part))
            if isinstance(part, Mapping)
            else part
            for name, part in value.items()
        }
    if isinstance(field.type, type) and dataclasses.is_dataclass(field.type):
        return locate_paths(value, field.type)
    return value
