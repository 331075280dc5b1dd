"""From the names and the layout of torchvision's and timm's ResNets to Keras'."""

import re
from collections.abc import Mapping
from typing import Any

import numpy.typing as npt

from experiments.models.resnet.names import KerasNames

Layers = dict[str, dict[str, npt.NDArray[Any]]]

_VARIABLES = {
    "weight": "gamma",
    "bias": "beta",
    "running_mean": "moving_mean",
    "running_var": "moving_variance",
}
_COUNTER = ".num_batches_tracked"  # which Keras' batch norm does without
_PART = re.compile(
    r"(?:layer(?P<stage>\d)\.(?P<block>\d+)\.)?"
    r"(?:(?P<kind>conv|bn)(?P<place>\d)|downsample\.(?P<shortcut>[01])|(?P<head>fc))"
    r"\.(?P<variable>\w+)"
)


def name_as_keras(arrays: Mapping[str, npt.NDArray[Any]]) -> Layers:
    """Returns arrays by the layer and the variable that Keras Applications calls them.

    Args:
        arrays: By PyTorch's names, such as `layer1.0.conv1.weight`. What is none of a
            ResNet keeps its name, and fits nothing.

    Returns:
        Layer -> variable -> array in Keras' layout, such as
        `conv2_block1_1_conv` -> `kernel` -> (H, W, in, out).
    """
    layers: Layers = {}
    for name, array in arrays.items():
        if name.endswith(_COUNTER):
            continue
        layer, variable = _translate(name)
        layers.setdefault(layer, {})[variable] = _transpose(array, variable)
    return layers


def are_torch_names(arrays: Mapping[str, object]) -> bool:
    """Tells whether names are those of a ResNet of torchvision's or timm's."""
    return "conv1.weight" in arrays and "layer1.0.conv1.weight" in arrays


def _translate(name: str) -> tuple[str, str]:
    found = _PART.fullmatch(name)
    if found is None:
        layer, _, variable = name.rpartition(".")
        return layer, variable
    part, names = found.groupdict(), KerasNames()
    variable = part["variable"]
    if part["head"]:
        return names.head("dense"), {"weight": "kernel"}.get(variable, variable)
    is_norm = part["kind"] == "bn" or part["shortcut"] == "1"
    place = part["place"] or "0"
    kind = "bn" if is_norm else "conv"
    table = _VARIABLES if is_norm else {"weight": "kernel"}
    variable = table.get(variable, variable)
    if part["stage"] is None:
        return names.stem(f"conv{place}_{kind}"), variable
    stage, block = int(part["stage"]) - 1, int(part["block"])
    return names.block(stage, block, f"{place}_{kind}"), variable


def _transpose(array: npt.NDArray[Any], variable: str) -> npt.NDArray[Any]:
    """Returns (out, in, H, W) as (H, W, in, out), and (out, in) as (in, out)."""
    if variable != "kernel":
        return array
    return array.transpose(2, 3, 1, 0) if array.ndim == 4 else array.T
