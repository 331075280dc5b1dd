"""From torchvision's MobileNetV2 to the names and the layout of Keras'."""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Arrays = Mapping[str, npt.NDArray[Any]]
Layers = dict[str, dict[str, npt.NDArray[Any]]]

_COUNTER = ".num_batches_tracked"  # which Keras' batch norm does without
_LAST = 18  # of the features: a convolution without a block
_BLOCK = re.compile(
    r"features\.(?P<block>\d+)\.conv\.(?P<place>\d(?:\.\d)?)\.(?P<v>\w+)"
)
_SINGLE = re.compile(r"features\.(?P<place>0|18)\.(?P<norm>[01])\.(?P<v>\w+)")
# Place in a block -> layer; the first block does not expand.
_PLACES = {
    "0.0": "expand",
    "0.1": "expand_BN",
    "1.0": "depthwise",
    "1.1": "depthwise_BN",
    "2": "project",
    "3": "project_BN",
}
_FIRST_PLACES = {
    "0.0": "depthwise",
    "0.1": "depthwise_BN",
    "1": "project",
    "2": "project_BN",
}
_SINGLES = {
    ("0", "0"): "Conv1",
    ("0", "1"): "bn_Conv1",
    ("18", "0"): "Conv_1",
    ("18", "1"): "Conv_1_bn",
}
_NORM = {
    "weight": "gamma",
    "bias": "beta",
    "running_mean": "moving_mean",
    "running_var": "moving_variance",
}
# Of the batch norms, added to the variance.
_TORCH_EPSILON = 1e-5
_KERAS_EPSILON = 1e-3


def are_mobilenet_names(arrays: Mapping[str, object]) -> bool:
    """Tells whether names are those of torchvision's MobileNetV2."""
    return {
        "features.0.0.weight",
        "features.1.conv.0.0.weight",
        f"features.{_LAST}.0.weight",
    } <= set(arrays)


def name_mobilenet(arrays: Arrays) -> Layers:
    """Returns arrays by the layer and the variable that Keras Applications calls them.

    Keras adds another number to the variances than PyTorch. Variances are changed by
    the difference, and scales where that would make them negative, so that a network
    that is not being trained answers as PyTorch's does. Strided convolutions stay
    another's: Keras pads below and right, PyTorch on all sides.

    Args:
        arrays: By PyTorch's names, such as `features.2.conv.1.0.weight`. What has no
            place keeps its name, and fits nothing.

    Returns:
        Layer -> variable -> array in Keras' layout.
    """
    layers: Layers = {}
    for name, array in arrays.items():
        if not name.endswith(_COUNTER):
            layer, variable = _translate(name)
            layers.setdefault(layer, {})[variable] = _transpose(array, layer, variable)
    for found in layers.values():
        if "moving_variance" in found and "gamma" in found:
            _fit_epsilon(found)
    return layers


def _translate(name: str) -> tuple[str, str]:
    if found := _SINGLE.fullmatch(name):
        return _name(_SINGLES[found["place"], found["norm"]], found["v"])
    found = _BLOCK.fullmatch(name)
    if found and found["block"] == "1":
        return _name(f"expanded_conv_{_FIRST_PLACES.get(found['place'])}", found["v"])
    if found:
        block = int(found["block"]) - 1
        return _name(f"block_{block}_{_PLACES.get(found['place'])}", found["v"])
    layer, _, variable = name.rpartition(".")
    if layer in ("classifier", "classifier.1"):
        return "predictions", {"weight": "kernel"}.get(variable, variable)
    return layer, variable


def _name(layer: str, variable: str) -> tuple[str, str]:
    is_norm = layer.lower().endswith("bn") or layer == "bn_Conv1"
    table = _NORM if is_norm else {"weight": "kernel"}
    return layer, table.get(variable, variable)


def _transpose(array: npt.NDArray[Any], layer: str, variable: str) -> npt.NDArray[Any]:
    """Returns (out, in, H, W) as (H, W, in, out); depthwise ones: (H, W, out, 1)."""
    if variable != "kernel":
        return array
    if array.ndim != 4:
        return array.T
    order = (2, 3, 0, 1) if layer.endswith("depthwise") else (2, 3, 1, 0)
    return array.transpose(order)


def _fit_epsilon(norm: dict[str, npt.NDArray[Any]]) -> None:
    """Changes variance and scale so that Keras' epsilon gives what PyTorch's did."""
    real = norm["moving_variance"].astype(np.float64) + _TORCH_EPSILON
    variance = np.maximum(real - _KERAS_EPSILON, 0)
    scale = np.sqrt((variance + _KERAS_EPSILON) / real)
    norm["moving_variance"] = variance.astype(np.float32)
    norm["gamma"] = (norm["gamma"] * scale).astype(np.float32)
