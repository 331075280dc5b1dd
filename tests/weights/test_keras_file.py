from pathlib import Path

import h5py
import keras
import numpy as np
import pytest

from experiments.weights.faults import WeightsError
from experiments.weights.keras_file import read_h5, read_layers


@pytest.fixture(scope="module")
def network():
    inputs = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(4, 3, name="first")(inputs)
    x = keras.layers.BatchNormalization(name="norm")(x)
    x = keras.layers.Flatten()(x)
    x = keras.layers.Dropout(0.5)(x)  # has a seed, which is no weight
    model = keras.Model(inputs, keras.layers.Dense(2, name="last")(x))
    for number, variable in enumerate(model.weights):
        variable.assign(np.full(variable.shape, number + 1))
    return model


def write_as_published(model, path: Path) -> None:
    """Writes a file as Keras Applications' are: a group a layer, `name/variable:0`."""
    with h5py.File(path, "w") as file:
        for layer in model.layers:
            group = file.create_group(layer.name)
            for variable in layer.weights:
                name = f"{layer.name}/{variable.name}:0"
                group.create_dataset(name, data=np.asarray(variable))


def as_numbers(layers) -> dict[str, list[float]]:
    return {
        layer: [float(np.ravel(array)[0]) for _, array in sorted(found.items())]
        for layer, found in layers.items()
    }


def test_layers_of_every_kind_of_file_are_those_of_the_model(
    network, tmp_path: Path
) -> None:
    """Sorted by name, in a `.weights.h5` by number, as Keras writes them."""
    outer = keras.Input((8, 8, 3))
    nested = keras.Model(outer, network(keras.layers.Rescaling(1 / 255)(outer)))
    named = {"first": [2, 1], "norm": [4, 3, 5, 6], "last": [8, 7]}
    write_as_published(network, tmp_path / "published.h5")
    assert as_numbers(read_h5(tmp_path / "published.h5")) == named
    assert as_numbers(read_layers(nested)) == named
    numbered = {"first": [1, 2], "norm": [3, 4, 5, 6], "last": [7, 8]}
    for model in (network, nested):
        model.save_weights(tmp_path / "own.weights.h5")
        assert as_numbers(read_h5(tmp_path / "own.weights.h5")) == numbered


def test_file_that_points_elsewhere_is_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(bytes(4000))
    path = tmp_path / "w.h5"
    with h5py.File(path, "w") as file:
        file["first"] = h5py.ExternalLink(str(secret), "/")
    assert read_h5(path) == {}
    with h5py.File(path, "w") as file:
        place = [(str(secret), 0, 4000)]
        file.create_dataset("first/kernel", (1000,), "float32", external=place)
    with pytest.raises(WeightsError, match="outside of it"):
        read_h5(path)


def test_file_that_would_grow_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset(
            "first/kernel", (10**12,), "float32", chunks=(10**6,), compression="gzip"
        )
    with pytest.raises(WeightsError, match="outside of it"):
        read_h5(path)


def test_file_that_is_cut_is_told(network, tmp_path: Path) -> None:
    path = tmp_path / "w.h5"
    write_as_published(network, path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(WeightsError, match="is damaged"):
        read_h5(path)
