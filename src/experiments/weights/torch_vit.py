"""From the names and the layout of timm's vision transformers to ours."""

import re
from collections.abc import Mapping
from typing import Any

import numpy.typing as npt

Arrays = Mapping[str, npt.NDArray[Any]]
Layers = dict[str, dict[str, npt.NDArray[Any]]]

_BLOCK = re.compile(r"blocks\.(?P<number>\d+)\.(?P<part>[\w.]+)\.(?P<v>weight|bias)")
_PARTS = {"norm1": "norm1", "norm2": "norm2", "mlp.fc1": "mlp1", "mlp.fc2": "mlp2"}
_SINGLES = {
    "patch_embed.proj": "patch_embedding",
    "norm": "norm",
    "head": "predictions",
}
_LEARNT = {"cls_token": "class_token", "pos_embed": "positions"}
_HEAD = 64  # numbers of a head
_PROJECTIONS = ("query", "key", "value")


def are_vit_names(arrays: Mapping[str, object]) -> bool:
    """Tells whether names are those of a vision transformer of timm's."""
    return {"pos_embed", "patch_embed.proj.weight", "blocks.0.attn.qkv.weight"} <= set(
        arrays
    )


def name_vit(arrays: Arrays) -> Layers:
    """Returns arrays by the layers and variables of `experiments.models.vit`.

    Args:
        arrays: By timm's names, such as `blocks.0.attn.qkv.weight`. What has no place
            keeps its name, and fits nothing. Heads are of 64 numbers each, as in all
            that are published: the file does not tell.

    Returns:
        Layer -> variable -> array in Keras' layout.
    """
    layers: Layers = {}
    for name, array in arrays.items():
        layer, found = _translate(name, array)
        layers.setdefault(layer, {}).update(found)
    return layers


def _translate(
    name: str, array: npt.NDArray[Any]
) -> tuple[str, dict[str, npt.NDArray[Any]]]:
    if name in _LEARNT:
        return _LEARNT[name], {"kernel": array}
    if block := _BLOCK.fullmatch(name):
        prefix, part = f"block{int(block['number']) + 1}", block["part"]
        if part == "attn.qkv":
            return f"{prefix}_attention", _divide(array)
        if part == "attn.proj":
            return f"{prefix}_attention", _join(array)
        if part in _PARTS:
            return f"{prefix}_{_PARTS[part]}", _name(array, block["v"], part)
    layer, _, variable = name.rpartition(".")
    if layer in _SINGLES and variable in ("weight", "bias"):
        return _SINGLES[layer], _name(array, variable, layer)
    return layer, {variable: array}


def _name(array: npt.NDArray[Any], variable: str, part: str) -> dict[str, Any]:
    if part.startswith("norm"):
        return {{"weight": "gamma", "bias": "beta"}[variable]: array}
    if variable == "bias":
        return {"bias": array}
    return {"kernel": array.transpose(2, 3, 1, 0) if array.ndim == 4 else array.T}


def _divide(array: npt.NDArray[Any]) -> dict[str, Any]:
    """Returns the rows of queries, keys and values, each by its heads."""
    width = array.shape[0] // 3
    count = max(1, width // _HEAD)
    found: dict[str, Any] = {}
    for number, name in enumerate(_PROJECTIONS):
        rows = array[number * width : (number + 1) * width]
        if array.ndim == 1:
            found[f"{name}/bias"] = rows.reshape(count, -1)
        else:  # (out, in) -> (in, heads, numbers)
            found[f"{name}/kernel"] = rows.T.reshape(array.shape[1], count, -1)
    return found


def _join(array: npt.NDArray[Any]) -> dict[str, Any]:
    if array.ndim == 1:
        return {"attention_output/bias": array}
    count = max(1, array.shape[1] // _HEAD)  # (out, in) -> (heads, numbers, out)
    return {"attention_output/kernel": array.T.reshape(count, -1, array.shape[0])}
