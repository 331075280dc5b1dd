"""Paths of a config, absolute and by one name wherever the command was typed."""

import dataclasses
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_origin

from experiments.config.reading.fields import (
    is_component,
    is_path,
    names_inputs,
    schema_for,
    schemas_of,
)

STANDARD_INPUT = "-"
_MISSING = "???"
_KERNELS = {Path("/proc"), Path("/sys")}
_LONGEST_NAME, _LONGEST_PATH = 255, 4095  # bytes, of Linux


def locate(path: str) -> str:
    """Returns the one name of a file or folder: absolute, without links and `~`.

    A relative path starts where the command was typed: Hydra tells where that was, for
    a job may run in another folder (`hydra.job.chdir=true`) and in another process. An
    empty text and an address such as `s3://bucket` stay what they are.
    """
    from hydra.utils import to_absolute_path

    if not path.strip() or "://" in path or "\0" in path:
        return path
    # `Path.expanduser` would raise for a user that does not exist.
    expanded = os.path.expanduser(path)  # noqa: PTH111
    return os.path.realpath(to_absolute_path(expanded))


def locate_input(path: str) -> str:
    """Returns where something to look at lies: absolute, under the name it goes by.

    A link to a photograph keeps its name, by which people know it; only the folder in
    which it lies is located as `locate` does. `-` stands for the standard input.
    """
    if path == STANDARD_INPUT or not path.strip() or "://" in path or "\0" in path:
        return path
    folder, _, name = path.rstrip("/").rpartition("/")
    if not name or name.startswith("~") or name in (".", ".."):
        return locate(path)
    # What lies in the root has its slash for a folder.
    folder = folder or ("/" if path.startswith("/") else ".")
    return os.path.join(locate(folder), name)  # noqa: PTH118


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


def find_fault(path: str) -> str | None:
    """Returns why a text can be no path of any file, in words; `None` when it can."""
    if any(sign < " " or sign == "\x7f" for sign in path):
        return "must not hold control characters."
    if path.lower().startswith("file://"):
        return "must be a path, not an address: without file://."
    names = path.split("/")
    if max(len(os.fsencode(name)) for name in names) > _LONGEST_NAME:
        return f"must not hold a name of more than {_LONGEST_NAME} bytes."
    if len(os.fsencode(path)) > _LONGEST_PATH:
        return f"must not be longer than {_LONGEST_PATH} bytes."
    return None


def find_obstacle(folder: Path) -> str | None:
    """Returns why a folder is none and cannot be made, in words; `None` when it can."""
    for place in (folder, *folder.parents):
        if place.is_dir():
            kernels = {place, *place.parents} & _KERNELS
            return f"{kernels.pop()} holds no files" if kernels else None
        if os.path.lexists(place):
            kind = "a file" if place.is_file() else "a device"
            kind = kind if place.exists() else "a link that leads nowhere"
            return f"{place} is {kind}"
    return None


def list_paths(config: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yields the dotted key and the value of each path of a checked config."""
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if isinstance(value, str) and is_path(field, value):
            yield prefix + field.name, value
        elif is_path(field) and isinstance(value, list):
            yield from ((f"{prefix}{field.name}[{i}]", v) for i, v in enumerate(value))
        elif dataclasses.is_dataclass(value):
            yield from list_paths(value, f"{prefix}{field.name}.")
    for name in getattr(config, "open_paths", ()):
        if isinstance(config.extra.get(name), str):
            yield prefix + name, config.extra[name]


def may_be_path(key: str, value: str, schema: type) -> bool:
    """Tells whether a value is a path to some choice of a group with this dotted key.

    Args:
        key: Such as `dataset.path`.
        value: What is given there.
        schema: The dataclass of the whole config.
    """
    top, _, name = key.partition(".")
    groups = {field.name: field for field in dataclasses.fields(schema)}
    if top not in groups or not is_component(groups[top]):
        return False
    choices = schemas_of(groups[top])
    return any(name in _list_names(choice, value) for choice in choices)


def _list_names(schema: Any, value: str) -> list[str]:
    fields = dataclasses.fields(schema)
    names = [field.name for field in fields if is_path(field, value)]
    return [*names, *getattr(schema, "open_paths", ())]


def _locate_field(value: Any, field: dataclasses.Field[Any]) -> Any:
    if names_inputs(field) and isinstance(value, list):
        return [locate_input(v) if isinstance(v, str) else v for v in value]
    if isinstance(value, str) and value != _MISSING and is_path(field, value):
        return locate_input(value) if names_inputs(field) else locate(value)
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
