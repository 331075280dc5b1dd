"""Lowered convolutions compute and train as Keras' own do, by one product each."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from experiments.speedups import convolution
from experiments.speedups.convolution import is_faster, lower_convolutions
from tests.models.conftest import build_option, list_operations

Conv2D = keras.layers.Conv2D
CASES = {
    "1 x 1": ((3, 3), {"kernel_size": 1}),
    "1 x 1, strided": ((5, 4), {"kernel_size": 1, "strides": 2}),
    "1 x 1, one stride": ((4, 3), {"kernel_size": 1, "strides": (1, 3)}),
    "one position": ((1, 1), {"kernel_size": 3, "padding": "same"}),
    "kernel beyond the map": ((2, 2), {"kernel_size": 3, "padding": "same"}),
    "odd and strided": (
        (5, 5),
        {"kernel_size": 3, "strides": 2, "padding": "same"},
    ),
    "even and strided": (
        (4, 6),
        {"kernel_size": 3, "strides": 2, "padding": "same"},
    ),
    "valid": ((5, 5), {"kernel_size": 3, "strides": 2}),
    "oblong": ((4, 3), {"kernel_size": (2, 3), "padding": "same"}),
    "no bias": ((3, 3), {"kernel_size": 3, "use_bias": False}),
    "activation": ((3, 3), {"kernel_size": 1, "activation": "tanh"}),
}


def build(size: tuple[int | None, int | None], options: dict[str, Any]) -> Any:
    """Builds a convolution between two layers, for the gradients of all it takes."""
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input((*size, 2)),
            Conv2D(16, 1, name="before"),
            Conv2D(7, name="lowered", **options),
            keras.layers.GlobalMaxPooling2D(),
            keras.layers.Dense(3),
        ]
    )


@pytest.fixture
def lower(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Lowers a small kernel too, that of the second layer."""
    monkeypatch.setattr(convolution, "MANY_WEIGHTS", 100)

    def lower(model: Any) -> Any:
        assert lower_convolutions(model) == ["before", "lowered"]
        return model

    return lower


@pytest.mark.parametrize("name", CASES)
def test_a_layer_computes_and_trains_as_keras_own(lower: Any, name: str) -> None:
    size, options = CASES[name]
    models = lower(build(size, options)), build(size, options)
    generator = np.random.default_rng(0)
    for model in models:
        model.compile(keras.optimizers.SGD(0.1), "mse", jit_compile=False)
    for _ in range(3):
        x = generator.normal(size=(4, *size, 2)).astype("float32")
        y = generator.normal(size=(4, 3))
        outputs = [np.asarray(model(x)) for model in models]
        np.testing.assert_allclose(*outputs, rtol=1e-5, atol=1e-6)
        for model in models:
            model.train_on_batch(x, y)
    ends = [model.get_weights() for model in models]
    for ours, keras_own in zip(*ends, strict=True):
        np.testing.assert_allclose(ours, keras_own, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", ["1 x 1", "1 x 1, strided", "kernel beyond the map"])
def test_a_layer_and_its_gradients_are_one_product_each(lower: Any, name: str) -> None:
    plain = list_operations(build(*CASES[name]))
    lowered = list_operations(lower(build(*CASES[name])))

    convolutions = ("Conv2D", "Conv2DBackpropFilter", "Conv2DBackpropInput")
    assert [plain.count(kind) for kind in convolutions] == [2, 2, 2]
    assert [lowered.count(kind) for kind in convolutions] == [1, 1, 1]
    assert lowered.count("MatMul") == plain.count("MatMul") + 3


def test_maps_of_unknown_size_are_left_to_keras(lower: Any) -> None:
    model = lower(build((None, None), {"kernel_size": 3, "padding": "same"}))
    import tensorflow as tf

    step = tf.function(model).get_concrete_function(
        tf.TensorSpec((None, None, None, 2))
    )
    types = [operation.type for operation in step.graph.get_operations()]
    assert types.count("Conv2D") == 2


@pytest.mark.parametrize(
    ("kernel", "positions", "faster"),
    [
        ((1, 1, 64, 64), 1, False),
        ((1, 1, 256, 1024), 9, True),
        ((1, 1, 256, 1024), 16, False),
        ((3, 3, 256, 256), 9, True),
        ((3, 3, 256, 256), 16, False),
        ((3, 3, 511, 512), 16, False),
        ((3, 3, 512, 512), 16, True),
        ((1, 1, 2048, 512), 16, True),
        ((3, 3, 512, 512), 17, False),
    ],
)
def test_few_positions_or_many_channels_decide(
    kernel: tuple[int, ...], positions: int, faster: bool
) -> None:
    assert is_faster(kernel, positions) is faster


def test_the_last_two_stages_of_the_default_network_are_lowered() -> None:
    network = build_option("resnet50", image=(10, 10, 1))
    layers = [layer for layer in network.layers if isinstance(layer, Conv2D)]

    lowered = [
        layer.name
        for layer in layers
        if is_faster(layer.kernel.shape, layer.output.shape[1] * layer.output.shape[2])
    ]

    # The first one of stage 4 still gives 5 x 5 positions.
    assert len(lowered) == 3 * 6 + 3 * 3 + 2 - 1
    assert {name.split("_")[0] for name in lowered} == {"conv4", "conv5"}


class OwnConv2D(Conv2D):  # type: ignore[misc]
    pass


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (Conv2D, {"groups": 2}),
        (Conv2D, {"dilation_rate": 2}),
        (Conv2D, {"data_format": "channels_first"}),
        (Conv2D, {"dtype": "mixed_bfloat16"}),
        (OwnConv2D, {}),
        (keras.layers.SeparableConv2D, {}),
    ],
    ids=["grouped", "dilated", "other axis", "half", "own", "another"],
)
def test_other_layers_stay_as_they_are(kind: Any, options: dict[str, Any]) -> None:
    layer = kind(4, 3, **options)
    model = keras.Sequential([keras.Input((6, 6, 6)), layer])
    assert lower_convolutions(model) == []
    assert "convolution_op" not in vars(layer)


def test_what_is_saved_is_keras_own_layer(lower: Any, tmp_path: Path) -> None:
    model = build(*CASES["valid"])
    config = model.get_config()
    assert lower(model).get_config() == config

    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")

    assert type(loaded.get_layer("lowered")) is Conv2D
    assert "convolution_op" not in vars(loaded.get_layer("lowered"))
    x = np.random.default_rng(0).normal(size=(4, 5, 5, 2)).astype("float32")
    np.testing.assert_allclose(model(x), loaded(x), rtol=1e-5, atol=1e-6)


def test_layers_of_nested_networks_are_found() -> None:
    inner = build((3, 3), {"kernel_size": 1})
    inputs = keras.Input((3, 3, 2))
    assert lower_convolutions(keras.Model(inputs, inner(inputs))) == [
        "before",
        "lowered",
    ]
