"""Weights of Keras Applications in files of every age, against its own networks."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from experiments.models.keras_application import HEAD, build_keras_application
from experiments.weights.applications import name_as_built
from experiments.weights.fit import load_into
from experiments.weights.keras_file import read_h5
from tests.models.conftest import randomize_weights, relative_error
from tests.weights.test_keras_file import write_as_published

SHAPE = (32, 32, 3)


def build(architecture: str, classes: int = 7, alpha: float | None = None) -> Any:
    return build_keras_application(
        input_shape=SHAPE,
        num_classes=classes,
        architecture=architecture,
        alpha=alpha,
        pooling="average",
        dropout=0.0,
    )


def build_theirs(architecture: str, **options: Any) -> Any:
    """Builds Keras' network after another one, so that its layers are numbered on."""
    keras.layers.Conv2D(1, 1), keras.layers.BatchNormalization()
    reference = getattr(keras.applications, architecture)(
        weights=None,
        input_shape=SHAPE,
        classes=7,
        classifier_activation=None,
        **options,
    )
    randomize_weights(reference)
    return reference


@pytest.mark.parametrize(
    ("architecture", "alpha", "suffix"),
    [
        ("MobileNetV2", 0.35, ".h5"),
        ("MobileNet", 0.25, ".weights.h5"),  # whose head is a convolution
        pytest.param("DenseNet121", None, ".h5", marks=pytest.mark.slow),
        pytest.param("NASNetMobile", None, ".h5", marks=pytest.mark.slow),
    ],
)
def test_a_file_of_keras_fills_the_whole_network(
    tmp_path: Path, architecture: str, alpha: float | None, suffix: str
) -> None:
    reference = build_theirs(architecture, **({"alpha": alpha} if alpha else {}))
    path = tmp_path / f"published{suffix}"
    if suffix == ".h5":
        write_as_published(reference, path)
    else:
        reference.save_weights(path)
    network = build(architecture, alpha=alpha)
    table = load_into(network, name_as_built(read_h5(path), network))
    assert {row.state for row in table.rows} == {"loaded"}
    images = np.random.default_rng(1).normal(size=(2, *SHAPE)).astype("float32")
    expected = reference(images, training=False)
    assert relative_error(network(images, training=False), expected) < 1e-5


def make_layers(network: Any) -> dict[str, dict[str, Any]]:
    return {
        layer.name: {v.name: np.full(v.shape, 0.5) for v in layer.weights}
        for layer in network.layers
        if layer.weights
    }


def test_layers_are_found_by_their_order_where_they_have_no_names() -> None:
    inputs = keras.Input((4, 4, 3))
    x = keras.layers.Conv2D(2, 1, name="conv2d")(inputs)
    x = keras.layers.Conv2D(2, 1, name="conv2d_1")(x)
    x = keras.layers.DepthwiseConv2D(1, use_bias=False, name="depth")(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    network = keras.Model(inputs, keras.layers.Dense(2, name=HEAD)(x))
    layers = make_layers(network)
    layers["conv2d_10"] = layers.pop("conv2d_1")
    layers["conv2d_9"] = layers.pop("conv2d")
    layers["depth"] = {"depthwise_kernel": layers["depth"]["kernel"]}
    layers["normalization_3"] = {"mean": np.zeros(3)}
    layers["dense"] = layers.pop(HEAD)
    named = name_as_built(layers, network)
    assert {name: sorted(found) for name, found in named.items()} == {
        "conv2d": ["bias", "kernel"],
        "conv2d_1": ["bias", "kernel"],
        "depth": ["kernel"],
        HEAD: ["bias", "kernel"],
    }
    assert named["conv2d"]["kernel"].shape == (1, 1, 3, 2)  # 9 comes before 10
    assert load_into(network, named).share == 1


def test_what_lies_between_the_maps_and_a_published_head_is_left_out() -> None:
    network = build("MobileNetV2", alpha=0.35)
    layers = make_layers(network)
    layers["fc1"] = {"kernel": np.zeros((1280, 4))}
    layers[HEAD] = {"kernel": np.zeros((4, 1000)), "bias": np.zeros(1000)}
    named = name_as_built(layers, network)
    assert HEAD not in named
    assert "fc1" not in named
    table = load_into(network, named)
    assert table.share == 1
    assert {row.layer for row in table.of_state("new")} == {HEAD}
