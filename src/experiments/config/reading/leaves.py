"""The leaves of nested plain data, each by its dotted key."""

from collections.abc import Iterator, Mapping
from typing import Any


def list_leaves(node: object, key: str = "") -> Iterator[tuple[str, Any]]:
    """Yields the dotted key and the value of each leaf of a config.

    Args:
        node: Nested mappings; every other value is a leaf, a list and an empty mapping
            included.
        key: Of the node; empty for a whole config.
    """
    if not isinstance(node, Mapping) or not node:
        yield key, node
        return
    for name, part in node.items():
        yield from list_leaves(part, f"{key}.{name}" if key else str(name))
