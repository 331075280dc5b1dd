import keras
import numpy as np
import pytest

from experiments.models.resnet.squeeze import squeeze_and_excite
from tests.models.conftest import build_small, randomize_weights, relative_error


def excite_by_hand(maps, reduce, expand):
    """Computes the equations 2 to 4 of the paper."""
    means = maps.mean((1, 2))
    inside = np.maximum(means @ reduce[0] + reduce[1], 0)
    gates = 1 / (1 + np.exp(-(inside @ expand[0] + expand[1])))
    return maps * gates[:, None, None]


@pytest.mark.parametrize(("reduction", "inside"), [(16, 2), (4, 8), (99, 1)])
def test_each_map_is_weighted_as_the_paper_writes(layers, reduction, inside):
    inputs = keras.Input((5, 4, 32))
    outputs = squeeze_and_excite(inputs, reduction, layers, lambda part: part)
    network = keras.Model(inputs, outputs)
    randomize_weights(network)
    reduce, expand = (
        [np.squeeze(w) for w in network.get_layer(name).get_weights()]
        for name in ("se_reduce", "se_expand")
    )
    assert network.get_layer("se_reduce").filters == inside
    maps = np.random.default_rng(0).normal(size=(3, 5, 4, 32)).astype("float32")
    reduce[0], expand[0] = reduce[0].reshape(32, inside), expand[0].reshape(inside, 32)
    assert relative_error(network(maps), excite_by_hand(maps, reduce, expand)) < 1e-5


@pytest.mark.parametrize(
    ("variant", "source"),
    [("v1", "conv2_block1_2_bn"), ("v2", "conv2_block1_2_conv")],
)
def test_it_stands_at_the_end_of_the_branch(variant, source):
    network = build_small("squeeze_excitation=2", f"variant={variant}")
    maps = network.get_layer(source).output
    assert network.get_layer("conv2_block1_se_squeeze").input is maps
    assert network.get_layer("conv2_block1_se_excite").input[0] is maps
    weighted = network.get_layer("conv2_block1_se_excite").output
    assert network.get_layer("conv2_block1_add").input[1] is weighted
