"""The layers of a network, gathered by the size of their maps."""

from collections.abc import Sequence
from dataclasses import dataclass

from experiments.models.cost import LayerCost


@dataclass(frozen=True)
class Stage:
    """Layers that work on maps of one size.

    Attributes:
        path: Names of the models that they are nested in.
        size: Height and width; `None` where only a run shows it.
        layers: In their order.
    """

    path: tuple[str, ...]
    size: tuple[int, int] | None
    layers: tuple[LayerCost, ...]

    @property
    def name(self) -> str:
        """What tells it from the others: `resnet50: 56 x 56`."""
        place = f"{'/'.join(self.path)}: " if self.path else ""
        if self.size is None:
            return f"{place}size unknown"
        if self.size == (1, 1):
            return f"{place}vectors"
        return f"{place}{self.size[0]} x {self.size[1]}"

    @property
    def channels(self) -> int:
        """The most channels of an output."""
        return max((layer.shape or (0,))[-1] or 0 for layer in self.layers)

    @property
    def parameters(self) -> int:
        """Of all its layers."""
        return sum(layer.parameters for layer in self.layers)

    @property
    def flops(self) -> int:
        """Of those that are known."""
        return sum(layer.flops or 0 for layer in self.layers)

    @property
    def activation_bytes(self) -> int:
        """Likewise."""
        return sum(layer.activation_bytes or 0 for layer in self.layers)


def gather_stages(layers: Sequence[LayerCost]) -> list[Stage]:
    """Returns the stages in the order of their first layers; each layer is in one."""
    found: dict[tuple[object, object], list[LayerCost]] = {}
    for layer in layers:
        found.setdefault((layer.path, layer.size), []).append(layer)
    return [Stage(part[0].path, part[0].size, tuple(part)) for part in found.values()]
