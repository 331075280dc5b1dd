"""What is frozen stays as it is to the last bit, on both backends."""

import keras
import numpy as np
import pytest

from experiments.errors import ConfigError
from experiments.models.freezing import describe_frozen, freeze_layers
from experiments.models.stages import list_layers
from experiments.speedups.batch_norm import fuse_batch_norms
from tests.models.conftest import build_small


def list_frozen(network) -> list[str]:
    return [layer.name for layer in list_layers(network) if not layer.trainable]


def test_all_is_everything_but_the_head() -> None:
    network = build_small()
    freeze_layers(network, "all")
    head = network.get_layer("predictions")
    assert [id(v) for v in network.trainable_variables] == [
        id(v) for v in head.trainable_variables
    ]


def test_stage_is_frozen_with_all_before_it() -> None:
    network = build_small()
    freeze_layers(network, "conv2")
    names = [layer.name for layer in list_layers(network)]
    assert list_frozen(network) == [n for n in names if n[:5] in ("conv1", "conv2")]


def test_pattern_is_frozen_alone_and_several_together() -> None:
    network = build_small()
    freeze_layers(network, "*_bn")
    assert list_frozen(network) == [
        layer.name
        for layer in list_layers(network)
        if isinstance(layer, keras.layers.BatchNormalization)
    ]
    freeze_layers(network, ["conv1", "predict*"])
    assert list_frozen(network) == ["conv1_conv", "conv1_bn", "predictions"]


@pytest.mark.parametrize("layer_names", ["keras", "notebook"])
def test_batch_norms_are_known_by_what_they_are(layer_names: str) -> None:
    network = build_small(f"layer_names={layer_names}")
    freeze_layers(network, "batch_norms")
    assert list_frozen(network) == [
        layer.name
        for layer in list_layers(network)
        if isinstance(layer, keras.layers.BatchNormalization)
    ]


def test_network_without_batch_norms_has_none_to_freeze() -> None:
    network = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
    freeze_layers(network, "batch_norms")
    assert list_frozen(network) == []


def test_layers_learn_again_but_for_those_that_the_network_itself_froze() -> None:
    network = build_small()
    network.get_layer("conv1_conv").trainable = False
    freeze_layers(network, "all")
    freeze_layers(network, "none")
    assert list_frozen(network) == ["conv1_conv"]
    assert describe_frozen(network) == {}


@pytest.mark.parametrize(
    ("freeze", "words"),
    [
        ("conv7", r"Received: conv7. The stages are conv1, conv2, conv3, the head is"),
        ("x*", r"matches no layer .* They are called conv1_conv, conv1_bn"),
        ("*", r"leaves no layer that learns. .* Type model.freeze=all"),
    ],
)
def test_names_of_nothing_are_refused_with_those_that_there_are(
    freeze: str, words: str
) -> None:
    with pytest.raises(ConfigError, match=words):
        freeze_layers(build_small(), freeze)


@pytest.mark.parametrize("fused", [True, False])
def test_frozen_layers_are_bit_identical_after_training(fused: bool, images) -> None:
    """Weights and moving statistics; those that learn have moved."""
    network = build_small()
    freeze_layers(network, "conv2")
    if fused:
        fuse_batch_norms(network, jit=False)
    network.compile(
        keras.optimizers.AdamW(1e-2, weight_decay=0.1),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    before = {v.path: np.array(v) for v in network.variables}
    network.fit(images, np.arange(len(images)) % 5, epochs=2, verbose=0)
    frozen = {v.path for layer in list_layers(network) for v in layer.variables}
    frozen -= {v.path for layer in list_layers(network)[-6:] for v in layer.variables}
    moved = {
        v.path
        for v in network.variables
        if not np.array_equal(np.array(v), before[v.path])
    }
    learning = {
        v.path
        for layer in list_layers(network)
        if layer.trainable
        for v in layer.variables
    }
    assert moved == learning
    assert any("moving_mean" in path for path in moved)


def test_frozen_batch_norm_is_the_formula_of_its_moving_statistics() -> None:
    layer = keras.layers.BatchNormalization(epsilon=1e-3)
    network = keras.Sequential([keras.Input((2, 2, 3)), layer, keras.layers.Dense(2)])
    freeze_layers(network, "all")
    fuse_batch_norms(network, jit=False)
    layer.moving_mean.assign([1.0, 2.0, 3.0])
    layer.moving_variance.assign([4.0, 9.0, 16.0])
    x = np.random.default_rng(0).normal(size=(5, 2, 2, 3)).astype("float32")
    expected = (x - np.array([1, 2, 3])) / np.sqrt(np.array([4, 9, 16]) + 1e-3)
    np.testing.assert_allclose(layer(x, training=True), expected, rtol=1e-5, atol=1e-6)


def test_what_learns_is_told_with_its_number_of_parameters() -> None:
    network = build_small()
    freeze_layers(network, "all")
    (told,) = describe_frozen(network).values()
    count = len(list_layers(network))
    assert told.startswith(f"{count - 1} of {count} layers with weights; ")
    assert told.endswith("parameters of predictions learn")
