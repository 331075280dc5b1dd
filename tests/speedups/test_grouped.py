"""Grouped convolutions compute and train as Keras' own do, group by group."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from experiments.speedups.grouped import divide_groups
from tests.models.conftest import list_operations

Conv2D = keras.layers.Conv2D
CASES = {
    "two maps each": {"groups": 3, "padding": "same", "use_bias": False},
    "strided": {"groups": 2, "strides": 2},
    "one map each": {"groups": 6, "padding": "same"},
    "one map each, strided": {"groups": 6, "strides": (2, 2)},
}


def build(options: dict[str, Any]) -> Any:
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input((5, 6, 3)),
            Conv2D(6, 1, name="before"),
            Conv2D(12, 3, name="grouped", **options),
            keras.layers.GlobalMaxPooling2D(),
            keras.layers.Dense(3),
        ]
    )


@pytest.mark.filterwarnings("ignore:.*retracing.*")
@pytest.mark.parametrize("name", CASES)
def test_a_layer_computes_and_trains_as_keras_own(name: str) -> None:
    models = build(CASES[name]), build(CASES[name])
    assert divide_groups(models[0]) == ["grouped"]
    generator = np.random.default_rng(0)
    for model in models:
        model.compile(keras.optimizers.SGD(0.1), "mse", jit_compile=False)
    for _ in range(2):
        x = generator.normal(size=(4, 5, 6, 3)).astype("float32")
        y = generator.normal(size=(4, 3))
        outputs = [model.predict(x, verbose=0) for model in models]
        np.testing.assert_allclose(*outputs, rtol=1e-5, atol=1e-6)
        for model in models:
            model.train_on_batch(x, y)
    ends = [model.get_weights() for model in models]
    for ours, keras_own in zip(*ends, strict=True):
        np.testing.assert_allclose(ours, keras_own, rtol=1e-4, atol=1e-6)


def test_each_group_is_a_convolution_and_xla_computes_none() -> None:
    model = build(CASES["two maps each"])
    divide_groups(model)
    found = list_operations(model)
    assert "StatefulPartitionedCall" not in found
    assert found.count("Conv2DBackpropFilter") == 1 + 3


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (Conv2D, {"kernel_size": 3}),
        (Conv2D, {"kernel_size": 3, "groups": 2, "dilation_rate": 2}),
        (Conv2D, {"kernel_size": 1, "groups": 2, "strides": 2}),
        (keras.layers.DepthwiseConv2D, {"kernel_size": 3}),
    ],
    ids=["not grouped", "dilated", "strided 1 x 1", "another"],
)
def test_other_layers_stay_as_they_are(kind: Any, options: dict[str, Any]) -> None:
    filters = {} if kind is keras.layers.DepthwiseConv2D else {"filters": 4}
    layer = kind(**filters, **options)
    assert divide_groups(keras.Sequential([keras.Input((6, 6, 4)), layer])) == []
    assert "convolution_op" not in vars(layer)


def test_what_is_saved_is_keras_own_layer(tmp_path: Path) -> None:
    model = build(CASES["strided"])
    config = model.get_config()
    divide_groups(model)
    assert model.get_config() == config
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert "convolution_op" not in vars(loaded.get_layer("grouped"))
