"""Weights in files of Keras: `.h5` of every age, `.weights.h5` and whole models.

HDF5 can point to other files, and compress without a bound; neither is followed.
"""

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from experiments.errors import ExperimentError
from experiments.weights.faults import WeightsError
from experiments.weights.variables import name_variables

HDF5_START = b"\x89HDF\r\n\x1a\n"
_MOST_GROWTH = 20  # times the bytes of the file, of all arrays together
_SMALL = 2**24  # bytes that any archive may hold, however small it is
# How Keras begins what it says of code, before it tells how to run it all the same.
_CODE = re.compile(r"potential risk|not a modeling function|not a KerasSaveable")
_NO_WEIGHTS = {"optimizer", "optimizer_weights", "seed_generator"}

# Layer -> variable, or its number in the layer -> array.
Layers = dict[str, dict[str, npt.NDArray[Any]]]


def read_h5(path: Path) -> Layers:
    """Reads the arrays of an HDF5 file by the layers that Keras names in it.

    Returns:
        Layer -> variable -> array; of a `.weights.h5` the variables are numbers.

    Raises:
        WeightsError: It is damaged, or points out of itself.
    """
    layers: Layers = {}
    left = _MOST_GROWTH * path.stat().st_size
    try:
        with h5py.File(path, "r") as file:
            for name, dataset in _list_arrays(file):
                left -= dataset.nbytes
                if dataset.is_virtual or dataset.external or left < 0:
                    raise WeightsError("holds numbers that lie outside of it")
                layer, variable = _tell_layer(file, name)
                layers.setdefault(layer, {})[variable] = np.asarray(dataset)
    except (OSError, RuntimeError, KeyError, ValueError) as error:
        raise WeightsError(f"is damaged ({str(error).splitlines()[0]})") from error
    return layers


def _list_arrays(file: Any) -> Iterator[tuple[str, Any]]:
    names: list[str] = []
    file.visit(names.append)  # which follows no link to elsewhere
    for name in names:
        found = file[name]
        if isinstance(found, h5py.Dataset) and not _NO_WEIGHTS & {*name.split("/")}:
            yield name, found


def _tell_layer(file: Any, name: str) -> tuple[str, str]:
    """Returns layer and variable of `.../conv1/kernel:0` and `.../conv2d/vars/0`."""
    group, _, variable = name.rpartition("/")
    layer = group.rpartition("/")[2]
    if layer == "vars":
        layer = str(file[group].attrs.get("name", group))
    return layer, variable.removesuffix(":0")


def read_keras_file(path: Path) -> Any:
    """Reads a `.keras` file in Keras' safe mode, which runs no code of the file.

    Raises:
        ExperimentError: It is no such file, would grow beyond all measure, or holds or
            needs code.
    """
    import keras

    _refuse_growth(path)
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # of many kinds: zip, JSON, HDF5, Keras' own
        reason = str(error).strip().splitlines()
        if _CODE.search(str(error)):
            raise ExperimentError(
                f"{path.name} holds code, such as a Lambda layer, and code out of a "
                "file is never run. Save the model with layers of Keras alone."
            ) from error
        raise ExperimentError(
            f"{path.name} cannot be read as a Keras model: "
            f"{reason[0] if reason else type(error).__name__}"
        ) from error


def _refuse_growth(path: Path) -> None:
    """Refuses an archive whose parts are far larger than itself, before any is read."""
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(part.file_size for part in archive.infolist())
    except (OSError, zipfile.BadZipFile):
        return  # Keras says what it is
    if size > max(_SMALL, _MOST_GROWTH * path.stat().st_size):
        raise ExperimentError(
            f"{path.name} would grow to {size:,} bytes, and no network's file does."
        )


def read_layers(model: Any) -> Layers:
    """Returns the weights of a model, its nested ones taken apart, by their layers."""
    import keras

    from experiments.models.cost import walk

    return {
        layer.name: {
            name: np.asarray(keras.ops.convert_to_numpy(variable))
            for name, variable in zip(name_variables(layer), layer.weights, strict=True)
        }
        for layer in walk(model)
        if getattr(layer, "weights", None)
    }
