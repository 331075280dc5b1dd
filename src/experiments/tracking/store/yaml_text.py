"""Reads YAML that others may have written: quickly refused where it could explode."""

from typing import Any

import yaml

_DEEPEST = 100
_MOST = 1_000_000  # values, each as often as it is referred to


class _Loader(yaml.SafeLoader):
    """Without merge keys, which a few lines of can fill any memory."""

    def flatten_mapping(self, node: Any) -> None:
        """Leaves `<<` alone, for which there is no constructor."""


def parse_yaml(content: bytes) -> Any:
    """Returns the plain data that a YAML text says.

    Raises:
        ValueError: It is no YAML in UTF-8, nested too deep, or refers to its own parts
            so often that it would fill the memory.
    """
    text = content.decode("utf-8")
    try:
        found = yaml.load(text, _Loader)  # noqa: S506 - a SafeLoader
        _measure(found, {}, 0)
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from error
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error
    return found


def _measure(value: Any, known: dict[int, int], depth: int) -> int:
    """Returns how many values there are; each part is visited once."""
    if not isinstance(value, dict | list):
        return 1
    if depth > _DEEPEST:
        raise ValueError("it is nested too deep")
    if id(value) not in known:
        parts = value.values() if isinstance(value, dict) else value
        count = 1 + sum(_measure(part, known, depth + 1) for part in parts)
        if count > _MOST:
            raise ValueError(f"it stands for more than {_MOST:,} values")
        known[id(value)] = count
    return known[id(value)]
