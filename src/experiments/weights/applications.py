"""Weights of Keras Applications, by the names of the layers of our networks."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy.typing as npt

from experiments.models.cost import walk
from experiments.models.keras_application import HEAD

Arrays = dict[str, npt.NDArray[Any]]
Layers = dict[str, Arrays]

# What has no place in a network of ours: what prepares images, and what some have
# between the last maps and the last layer (VGG, MobileNetV3).
_LEFT_OUT = re.compile(r"(.*_)?normalization(_\d+)?|rescaling(_\d+)?|fc1|fc2|conv_2")
_NORMS = re.compile(r"batch_normalization|layer_normalization")
# How Keras calls their last layers.
_HEADS = re.compile(rf"{HEAD}|dense|conv_preds|logits|convnext_\w+_head_dense")
_NUMBERED = re.compile(r"(?P<kind>\D[\w-]*?)(?:_(?P<number>\d+))?")


def name_as_built(
    layers: Mapping[str, Mapping[str, npt.NDArray[Any]]], network: Any
) -> Layers:
    """Returns arrays by the names of a network's layers.

    Args:
        layers: Layer -> variable -> array, of Keras' network with or without its last
            layers, in a file of any age.
        network: Of `experiments.models.keras_application`.
    """
    weighted = [layer for layer in walk(network) if getattr(layer, "weights", None)]
    own = {layer.name: layer for layer in weighted}
    found: Layers = {}
    for name, arrays in layers.items():
        if _HEADS.fullmatch(name):
            found[HEAD] = _flatten(arrays)
        elif name in own or not _is_left_out(name):
            found[name] = dict(arrays)
    _settle_convnext(found, own)
    features = network.get_layer(HEAD).kernel.shape[0]
    if HEAD in found and features not in _find_sides(found[HEAD]):
        del found[HEAD]  # of what lies between the maps and it
    numbered = _number_as(found, own)
    return {
        name: _name_variables(arrays, own.get(name))
        for name, arrays in numbered.items()
    }


def _settle_convnext(layers: Layers, own: Iterable[str]) -> None:
    """Names its last normalisation as its whole network does, which some files lack."""
    name = next((n for n in own if n.endswith("_head_layernorm")), None)
    if name is not None and name not in layers and "layer_normalization" in layers:
        layers[name] = layers.pop("layer_normalization")


def _name_variables(arrays: Arrays, layer: Any) -> Arrays:
    """Returns a layer's arrays by today's names, not `depthwise_kernel`."""
    if layer is None or len(arrays) != len(layer.weights):
        return arrays
    names = [variable.name for variable in layer.weights]
    left = [name for name in arrays if name not in names and not name.isdigit()]
    lacking = [name for name in names if name not in arrays]
    if len(left) == 1 == len(lacking):
        return {lacking[0] if n == left[0] else n: a for n, a in arrays.items()}
    return arrays


def _is_left_out(name: str) -> bool:
    return bool(_LEFT_OUT.fullmatch(name)) and not _NORMS.match(name)


def _flatten(arrays: Mapping[str, npt.NDArray[Any]]) -> Arrays:
    """Returns a last 1 x 1 convolution as a dense layer."""
    return {
        name: array.reshape(array.shape[2:]) if array.shape[:2] == (1, 1) else array
        for name, array in arrays.items()
    }


def _find_sides(arrays: Mapping[str, npt.NDArray[Any]]) -> set[int]:
    return {array.shape[0] for array in arrays.values() if array.ndim == 2}


def _number_as(layers: Layers, own: Iterable[str]) -> Layers:
    """Returns layers of which Keras only knows the kind by the numbers of others.

    `conv2d_17`, `conv2d_18`, ... of a network that was not the first of its process
    become `conv2d`, `conv2d_1`, ... where there are as many of them.
    """
    ours, theirs = _group(own), _group(layers)
    names = {
        old: new
        for kind, known in theirs.items()
        if len(ours.get(kind, ())) == len(known) and {*ours[kind]} != {*known}
        for old, new in zip(known, ours[kind], strict=True)
    }
    return {names.get(name, name): arrays for name, arrays in layers.items()}


def _group(names: Iterable[str]) -> dict[str, list[str]]:
    """Returns the names of each kind by their numbers."""
    found: dict[str, list[tuple[int, str]]] = {}
    for name in names:
        part = _NUMBERED.fullmatch(name)
        if part is not None:
            number = int(part["number"] or 0)
            found.setdefault(part["kind"], []).append((number, name))
    return {kind: [name for _, name in sorted(pairs)] for kind, pairs in found.items()}
