import keras
import numpy as np

from experiments.weights.fit import load_into
from experiments.weights.keras_file import read_layers
from experiments.weights.variables import name_variables


def build() -> keras.Model:
    """A network whose attention has four kernels, three of them of one shape."""
    inputs = keras.Input((3, 4))
    x = keras.layers.MultiHeadAttention(2, 2, name="attention")(inputs, inputs)
    return keras.Model(inputs, keras.layers.Dense(2, name="predictions")(x))


def test_arrays_of_a_layer_are_told_apart() -> None:
    network = build()
    assert name_variables(network.layers[-1]) == ["kernel", "bias"]
    names = name_variables(network.get_layer("attention"))
    assert names[:2] == ["query/kernel", "query/bias"]
    assert len({*names}) == 8


def test_layers_made_of_layers_get_their_own_arrays() -> None:
    source, target = build(), build()
    table = load_into(target, read_layers(source))
    assert {row.state for row in table.rows} == {"loaded"}
    for wanted, found in zip(source.weights, target.weights, strict=True):
        np.testing.assert_array_equal(wanted, found)
