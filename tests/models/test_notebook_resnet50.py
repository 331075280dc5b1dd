"""`model=resnet50_notebook` is the notebook's network."""

import json
from pathlib import Path

import keras
import numpy as np
import pytest

from tests.models.conftest import build_option

REFERENCE = json.loads((Path(__file__).with_name("notebook_resnet50.json")).read_text())


@pytest.fixture(scope="module")
def network():
    return build_option("resnet50_notebook", image=(224, 224, 3), classes=1000)


def test_every_layer_equals_the_reference_in_order(network):
    rows = [
        {
            "type": type(layer).__name__,
            "name": layer.name if expected["name"] else None,
            "output_shape": list(layer.output.shape[1:]),
            "parameters": layer.count_params(),
        }
        for layer, expected in zip(network.layers, REFERENCE["layers"], strict=True)
    ]
    assert rows == REFERENCE["layers"]
    assert len(rows) == 177


def test_totals_and_name_equal_the_reference(network):
    assert network.name == REFERENCE["name"]
    assert network.count_params() == REFERENCE["total_parameters"] == 42_020_712
    trainable = sum(int(np.prod(w.shape)) for w in network.trainable_weights)
    assert trainable == REFERENCE["trainable_parameters"] == 41_967_592


def is_seeded(name):
    return name in ("conv1", "softmax") or name[4] == "a"


def test_kernels_start_from_seed_10_where_the_notebook_says_so(network):
    layers = [layer for layer in network.layers if hasattr(layer, "kernel")]
    assert sum(is_seeded(layer.name) for layer in layers) == 2 + 4 * 4
    for layer in layers:
        shape = layer.kernel.shape
        expected = keras.initializers.GlorotUniform(seed=10)(shape)
        equal = np.array_equal(layer.kernel, expected)
        assert equal == is_seeded(layer.name), layer.name
        assert np.abs(layer.kernel).max() <= np.abs(expected).max() * 1.01


def test_unseeded_kernels_differ_from_each_other(network):
    first, second = (
        network.get_layer(f"res5{block}_branch2b").kernel for block in "bc"
    )
    assert not np.array_equal(first, second)


def test_batch_norm_has_keras_defaults(network):
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            assert (layer.momentum, layer.epsilon) == (0.99, 1e-3)


def test_head_returns_probabilities(network):
    assert network.layers[-1].activation is keras.activations.softmax
    probabilities = network(np.zeros((1, 224, 224, 3), "float32"))
    assert np.sum(probabilities) == pytest.approx(1, abs=1e-5)
