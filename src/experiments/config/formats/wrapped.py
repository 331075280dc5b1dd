"""A group that was one component and became a mapping of names to components.

Records of before hold the component itself. By today's form it has a name, and what
stood for none is an empty mapping; the other way the names go, which mean nothing to
the result, and several are a list: their order counts.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_TARGET = "_target_"


@dataclass(frozen=True, kw_only=True)
class Wrap:
    """How a group was before.

    Attributes:
        nothing: The target that stood for no component.
        names: Target -> the name that its component has now. Another one's, of a
            person's own, is the last part of its target.
        keys: Former key inside of the group -> the name of the component that has it;
            of several the most usual one.
    """

    nothing: str
    names: Mapping[str, str]
    keys: Mapping[str, str]

    def name_of(self, target: str) -> str:
        """Returns what a component is called now."""
        last = target.rpartition(".")[2]
        own = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", last).lower()
        return self.names.get(target, own)

    def wrap(self, node: Any) -> Any:
        """Returns a group of before by its name; what is none stays as it is."""
        target = node.get(_TARGET) if isinstance(node, Mapping) else None
        if not isinstance(target, str):
            return node
        return {} if target == self.nothing else {self.name_of(target): dict(node)}

    def unwrap(self, nodes: Any) -> Any:
        """Returns a group of today as it was before, several components as a list."""
        if not isinstance(nodes, Mapping) or _TARGET in nodes:
            return nodes
        there = [n for n in nodes.values() if n is not None and not self._is_none(n)]
        if not there:
            return {_TARGET: self.nothing}
        return there[0] if len(there) == 1 else there

    def wrap_key(self, key: str, name: str | None = None) -> str:
        """Returns what a key inside of the group is called now.

        Args:
            key: Without the group's name.
            name: Of the component, where that is known.
        """
        found = self.keys.get(key.partition(".")[0])
        if name is not None and (found is not None or name not in self.names.values()):
            found = name
        return key if found is None else f"{found}.{key}"

    def unwrap_key(self, key: str) -> str:
        """Returns what a key inside of the group was called first."""
        name, _, rest = key.partition(".")
        return rest if rest and name in self.names.values() else key

    def _is_none(self, node: Any) -> bool:
        return isinstance(node, Mapping) and node.get(_TARGET) == self.nothing
