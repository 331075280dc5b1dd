"""The stages of a network, by the names of its layers."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from experiments.models.cost import walk

# `conv3` of conv3_block1_1_conv, `res3` of res3a_branch2a, `block3` of block3a_bn;
# not the `conv2` of conv2d_7, which Keras has counted.
_STAGE = re.compile(
    r"(?!.*conv\dd)(.*?(?:stage|block|conv|res)_?\d+)(?=[a-z]?_|[a-z]?$)"
)
_BEFORE = "stem"


@dataclass(frozen=True)
class Stage:
    """Layers that stand together.

    Attributes:
        name: What the names of its layers begin with.
        layers: Those that have weights, in their order.
    """

    name: str
    layers: tuple[Any, ...]


def list_layers(model: Any) -> list[Any]:
    """Returns the layers that have weights, nested models taken apart."""
    return [layer for layer in walk(model) if getattr(layer, "weights", None)]


def split_off_head(model: Any) -> tuple[list[Any], Any]:
    """Returns the layers of the body, and the head: the last layer that has weights.

    Args:
        model: A built `keras.Model` with weights.
    """
    layers = list_layers(model)
    return layers[:-1], layers[-1]


def list_stages(model: Any) -> list[Stage]:
    """Returns the stages of a model's body, from the image on.

    A layer whose name tells no stage, such as a last batch norm, belongs to the one
    before it; what comes before all of them is `stem`.
    """
    body, _ = split_off_head(model)
    found: dict[str, list[Any]] = {}
    for name, layer in _name_stages(body):
        found.setdefault(name, []).append(layer)
    return [Stage(name, tuple(layers)) for name, layers in found.items()]


def _name_stages(layers: list[Any]) -> Iterator[tuple[str, Any]]:
    name = _BEFORE
    for layer in layers:
        if (known := _STAGE.match(layer.name)) is not None:
            name = known[1]
        yield name, layer
