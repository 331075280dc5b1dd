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
    r"(?:(?P<kind>conv|bn)(?P<place>\d)|downsample\.(?P<shortcut>[012])|(?P<head>fc))"
    r"\.(?P<variable>\w+)"
)
_EXCITATION = re.compile(r"layer(\d)\.(\d+)\.se\.fc([12])\.(\w+)")
# timm's deep stem is one module: its convolutions and what lies between them.
_DEEP_STEM = re.compile(r"conv1\.([01346])\.(\w+)")
_DEEP_PARTS = {
    "0": "conv1_1_conv",
    "1": "conv1_1_bn",
    "3": "conv1_2_conv",
    "4": "conv1_2_bn",
    "6": "conv1_conv",
}


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
    # Behind the pooling of ResNet-D everything on a shortcut comes one later.
    shift = int(any(".downsample.2." in name for name in arrays))
    for name, array in arrays.items():
        if name.endswith(_COUNTER):
            continue
        layer, variable = _translate(name, shift)
        layers.setdefault(layer, {})[variable] = _transpose(array, variable)
    return layers


def are_torch_names(arrays: Mapping[str, object]) -> bool:
    """Tells whether names are those of a ResNet of torchvision's or timm's."""
    has_stem = "conv1.weight" in arrays or "conv1.0.weight" in arrays
    return has_stem and "layer1.0.conv1.weight" in arrays


def _translate(name: str, shift: int) -> tuple[str, str]:
    if deep := _DEEP_STEM.fullmatch(name):
        part, variable = deep.groups()
        return _name_stem(_DEEP_PARTS[part], variable)
    if excitation := _EXCITATION.fullmatch(name):
        stage, block, number, variable = excitation.groups()
        part = {"1": "se_reduce", "2": "se_expand"}[number]
        layer = KerasNames().block(int(stage) - 1, int(block), part)
        return layer, _rename(variable, is_norm=False)
    found = _PART.fullmatch(name)
    if found is None:
        layer, _, variable = name.rpartition(".")
        return layer, variable
    part, names = found.groupdict(), KerasNames()
    variable = part["variable"]
    if part["head"]:
        return names.head("dense"), _rename(variable, is_norm=False)
    is_norm = part["kind"] == "bn" or part["shortcut"] == str(1 + shift)
    layer = f"{part['place'] or '0'}_{'bn' if is_norm else 'conv'}"
    if part["stage"] is None:
        return _name_stem(f"conv{layer}", variable)
    block = names.block(int(part["stage"]) - 1, int(part["block"]), layer)
    return block, _rename(variable, is_norm=is_norm)


def _name_stem(part: str, variable: str) -> tuple[str, str]:
    name = KerasNames().stem(part)
    return name, _rename(variable, is_norm=name.endswith("_bn"))


def _rename(variable: str, *, is_norm: bool) -> str:
    table = _VARIABLES if is_norm else {"weight": "kernel"}
    return table.get(variable, variable)


def _transpose(array: npt.NDArray[Any], variable: str) -> npt.NDArray[Any]:
    """Returns (out, in, H, W) as (H, W, in, out), and (out, in) as (in, out)."""
    if variable != "kernel":
        return array
    return array.transpose(2, 3, 1, 0) if array.ndim == 4 else array.T
