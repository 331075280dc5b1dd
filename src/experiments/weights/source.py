"""A file of weights, whatever its format, as arrays by layer and variable."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy.typing as npt

from experiments.config.kinds.weights import SUFFIXES
from experiments.errors import ExperimentError
from experiments.weights.faults import WeightsError
from experiments.weights.keras_file import (
    HDF5_START,
    read_h5,
    read_keras_file,
    read_layers,
)
from experiments.weights.preprocessing import (
    PREPROCESSINGS,
    Preprocessing,
    read_preprocessing,
)
from experiments.weights.torch_file import LEGACY_START, ZIP_START, read_torch_file
from experiments.weights.torch_mobilenet import are_mobilenet_names, name_mobilenet
from experiments.weights.torch_names import are_torch_names, name_as_keras
from experiments.weights.torch_vit import are_vit_names, name_vit

MOST_BYTES = 8 * 10**9  # of a file: ResNet-152 has 0.25 GB
_SHORTEST = 1000  # bytes: of fewer no network is made
_STATE = "model/00000/"  # how the arrays of a training's state begin

Layers = Mapping[str, Mapping[str, npt.NDArray[Any]]]


@dataclass(frozen=True, kw_only=True)
class Weights:
    """What a network can begin with.

    Attributes:
        name: Of the file, or of the run.
        sha256: Of the file, or of the run's weights.
        layers: Layer -> variable, or its number in the layer -> array.
        preprocessing: Of the images that they were trained on; `None`: nobody knows.
        variant: Of the bottlenecks that they belong to, as `model.variant`; `None`:
            nobody knows.
        class_names: What their last layer tells apart; `None`: nobody knows.
    """

    name: str
    sha256: str
    layers: Layers
    preprocessing: Preprocessing | None = None
    variant: Literal["v1", "v1_5"] | None = None
    class_names: tuple[str, ...] | None = None


def read_weights(path: Path) -> Weights:
    """Reads a file by what it holds, whatever its name.

    Args:
        path: Of PyTorch (`.pth`), safetensors, or Keras (`.keras`, `.h5`).

    Raises:
        WeightsError: It is absent, damaged, of another format, or holds code.
    """
    start = _look(path)
    try:
        if start.startswith(HDF5_START):
            return _known(path, read_h5(path))
        if start.startswith(ZIP_START) and path.suffix == ".keras":
            model = read_keras_file(path)
            return _known(path, read_layers(model), read_preprocessing(model))
        if start.startswith((ZIP_START, LEGACY_START)):
            return _of_torch(path, read_torch_file(path))
        if path.suffix == ".safetensors":
            return _of_torch(path, _read_safetensors(path))
    except WeightsError as error:
        raise WeightsError(f"{path.name} {error}") from error
    raise WeightsError(
        f"{path.name} is no file of weights: {_describe_start(start)}. Files of Keras, "
        f"PyTorch and safetensors are ({', '.join(SUFFIXES)})."
    )


def hash_file(path: Path) -> str:
    """Returns the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _look(path: Path) -> bytes:
    """Returns how a file begins, where it may be one of weights at all."""
    if not path.is_file():
        what = "is no file" if path.exists() else "is not there"
        raise WeightsError(f"model.weights={path} {what}.")
    size = path.stat().st_size
    if not _SHORTEST <= size <= MOST_BYTES:
        raise WeightsError(
            f"{path.name} has {size:,} bytes, and no network's weights have. "
            "Was it fetched whole?"
        )
    with path.open("rb") as file:
        return file.read(64)


def _known(
    path: Path, layers: Layers, preprocessing: Preprocessing | None = None
) -> Weights:
    return Weights(
        name=path.name,
        sha256=hash_file(path),
        layers=layers,
        preprocessing=preprocessing,
    )


def _of_torch(path: Path, arrays: Mapping[str, npt.NDArray[Any]]) -> Weights:
    if are_mobilenet_names(arrays):
        return _known(path, name_mobilenet(arrays), PREPROCESSINGS["torch"])
    if are_vit_names(arrays):  # timm's and DeiT's are called alike, prepared otherwise
        return _known(path, name_vit(arrays))
    if not are_torch_names(arrays):
        return _known(path, _split_names(arrays))
    is_bottleneck = "layer1.0.conv3.weight" in arrays
    return Weights(
        name=path.name,
        sha256=hash_file(path),
        layers=name_as_keras(arrays),
        preprocessing=PREPROCESSINGS["torch"],
        variant="v1_5" if is_bottleneck else None,
    )


def _split_names(arrays: Mapping[str, npt.NDArray[Any]]) -> Layers:
    """Returns arrays named as `conv1/kernel` or `conv1.kernel` by these parts."""
    layers: dict[str, dict[str, npt.NDArray[Any]]] = {}
    for name, array in arrays.items():
        layer, _, variable = name.replace("/", ".").rpartition(".")
        layers.setdefault(layer.rpartition(".")[2], {})[variable] = array
    return layers


def _read_safetensors(path: Path) -> Mapping[str, npt.NDArray[Any]]:
    from experiments.training.checkpoints.tensor_file import map_arrays

    try:
        arrays = map_arrays(path)
    except (ValueError, ExperimentError) as error:
        raise WeightsError(f"is a damaged safetensors file ({error})") from error
    if any(name.startswith(_STATE) for name in arrays):
        raise WeightsError("is a state of a training. Name its run: model.weights=run:")
    return arrays


def _describe_start(start: bytes) -> str:
    text = start.lstrip().lower()
    if text.startswith((b"<!doctype", b"<html", b"<?xml")):
        return "it holds a page of the web, which came instead of the file"
    if text.startswith(b"version https://git-lfs"):
        return "it holds a pointer of Git LFS, not the file"
    return f"it begins with {start[:8]!r}"
