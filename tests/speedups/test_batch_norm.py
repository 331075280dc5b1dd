"""Fused batch norms train as Keras' own do, in fewer passes over the maps."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from experiments.speedups.batch_norm import fuse_batch_norms
from tests.models.conftest import list_operations

BatchNorm = keras.layers.BatchNormalization
STEPS = 3
CASES = {
    "one channel": (1, (4, 6, 6), {}),
    "few channels": (3, (4, 5, 7), {"momentum": 0.5, "epsilon": 0.1}),
    "less than a vector": (13, (2, 3, 3), {}),
    "many channels": (65, (3, 4, 4), {"momentum": 0.9}),
    "no scale": (8, (4, 5, 5), {"scale": False}),
    "no offset": (8, (4, 5, 5), {"center": False}),
    "neither": (8, (4, 5, 5), {"center": False, "scale": False}),
    "one position": (6, (1, 1, 1), {}),
}


def build(channels: int, size: tuple[int, int, int], options: dict[str, Any]) -> Any:
    """Builds a convolution, the batch norm and what makes every gradient matter."""
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input((*size[1:], 2)),
            keras.layers.Conv2D(channels, 1, bias_initializer="ones"),
            BatchNorm(name="norm", **options),
            keras.layers.Activation("tanh"),
            keras.layers.Flatten(),
            keras.layers.Dense(3),
        ]
    )


def train(name: str, *, fused: bool, jit: bool) -> list[list[Any]]:
    """Takes some steps of a case; returns each weight, moving averages included."""
    channels, size, options = CASES[name]
    model = build(channels, size, options)
    if fused:
        assert fuse_batch_norms(model, jit=jit) == ["norm"]
    model.compile(keras.optimizers.SGD(0.01), "mse", jit_compile=jit)
    generator = np.random.default_rng(0)
    for _ in range(STEPS):
        x = generator.normal(size=(*size, 2)).astype("float32") * 3 + 1
        model.train_on_batch(x, generator.normal(size=(size[0], 3)))
    return [weight.tolist() for weight in model.get_weights()]


def assert_trained_alike(ours: list[list[Any]], keras_own: list[list[Any]]) -> None:
    assert len(ours) == len(keras_own)
    for one, other in zip(ours, keras_own, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", CASES)
def test_a_layer_trains_as_keras_own(name: str) -> None:
    assert_trained_alike(
        train(name, fused=True, jit=False), train(name, fused=False, jit=False)
    )


@pytest.mark.parametrize("name", ["few channels", "neither", "one position"])
def test_a_layer_trains_as_keras_own_with_xla(name: str) -> None:
    assert_trained_alike(
        train(name, fused=True, jit=True), train(name, fused=False, jit=True)
    )


@pytest.mark.skipif(
    importlib.util.find_spec("jax") is None, reason="JAX is an optional extra"
)
def test_a_layer_trains_as_keras_own_on_jax() -> None:
    script = (
        "import json, sys; from tests.speedups.test_batch_norm import train; "
        "print(json.dumps([[train(name, fused=fused, jit=True) "
        "for fused in (True, False)] for name in sys.argv[1:]]))"
    )
    result = subprocess.run(
        [sys.executable, "-c", script, "few channels", "neither"],
        cwd=Path(__file__).resolve().parents[2],
        env={**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
    )

    assert result.returncode == 0, result.stderr
    trained = json.loads(result.stdout.splitlines()[-1])
    assert len(trained) == 2
    for ours, keras_own in trained:
        assert_trained_alike(ours, keras_own)


def test_the_layer_and_its_gradient_are_one_operation_each() -> None:
    model = build(8, (4, 5, 5), {})
    assert "SquaredDifference" in list_operations(model, jit=False)

    fuse_batch_norms(model, jit=False)

    operations = list_operations(model, jit=False)
    assert operations.count("FusedBatchNormV3") == 1
    assert operations.count("FusedBatchNormGradV3") == 1
    assert "SquaredDifference" not in operations


def test_the_variance_does_not_wait_for_the_mean_with_xla() -> None:
    model = build(8, (4, 5, 5), {})

    fuse_batch_norms(model, jit=True)

    operations = list_operations(model, jit=True)
    assert "SquaredDifference" not in operations
    assert "FusedBatchNormV3" not in operations


def test_one_pass_is_exact_far_from_zero() -> None:
    layer = BatchNorm(momentum=0.0)
    model = keras.Sequential([keras.Input((8, 8, 4)), layer])
    fuse_batch_norms(model, jit=True)
    maps = np.random.default_rng(0).normal(1000.0, 0.1, (16, 8, 8, 4)).astype("f4")

    outputs = np.asarray(model(maps, training=True))

    expected = maps.astype("f8").var((0, 1, 2))
    np.testing.assert_allclose(layer.moving_variance, expected, rtol=1e-3)
    normalised = (maps - maps.astype("f8").mean((0, 1, 2))) / np.sqrt(expected + 1e-3)
    np.testing.assert_allclose(outputs, normalised, atol=2e-2)


class OwnBatchNorm(BatchNorm):  # type: ignore[misc]
    pass


@pytest.mark.parametrize(
    ("kind", "options", "jit"),
    [
        (BatchNorm, {"renorm": True}, True),
        (BatchNorm, {"synchronized": True}, True),
        (BatchNorm, {"axis": 1}, True),
        (BatchNorm, {"dtype": "mixed_bfloat16"}, False),
        (BatchNorm, {"dtype": "float64"}, True),
        (OwnBatchNorm, {}, True),
        (keras.layers.LayerNormalization, {}, True),
    ],
    ids=["renorm", "synchronized", "other axis", "half", "double", "own", "another"],
)
def test_other_layers_stay_as_they_are(
    kind: Any, options: dict[str, Any], jit: bool
) -> None:
    layer = kind(**options)
    model = keras.Sequential([keras.Input((4, 4, 3)), layer])
    assert fuse_batch_norms(model, jit=jit) == []
    assert "call" not in vars(layer)


def test_features_without_positions_stay_as_they_are() -> None:
    model = keras.Sequential([keras.Input((4,)), BatchNorm()])
    assert fuse_batch_norms(model, jit=True) == []


def test_half_precision_is_normalised_in_single_precision_with_xla() -> None:
    layers = BatchNorm(dtype="mixed_bfloat16"), BatchNorm(dtype="mixed_bfloat16")
    models = [keras.Sequential([keras.Input((4, 4, 3)), layer]) for layer in layers]
    assert len(fuse_batch_norms(models[0], jit=True)) == 1
    maps = np.random.default_rng(0).normal(3, 2, (8, 4, 4, 3)).astype("f4")

    ours, keras_own = (model(maps, training=True) for model in models)

    assert ours.dtype == keras_own.dtype == "bfloat16"
    np.testing.assert_allclose(*(np.asarray(o, "f4") for o in (ours, keras_own)), 0.01)
    for one, other in zip(*(layer.get_weights() for layer in layers), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5)


@pytest.mark.parametrize("jit", [False, True], ids=["", "xla"])
def test_inference_frozen_layers_and_masks_are_keras_own(jit: bool) -> None:
    maps = np.random.default_rng(0).normal(3, 2, (4, 5, 5, 8)).astype("f4")
    mask = np.random.default_rng(1).random((4, 5, 5)) < 0.5
    ends = []
    for fused in (True, False):
        layer = BatchNorm(momentum=0.5)
        model = keras.Sequential([keras.Input((5, 5, 8)), layer])
        if fused:
            fuse_batch_norms(model, jit=jit)
        masked = layer(maps, training=True, mask=mask)
        inference = layer(maps, training=False)
        layer.trainable = False
        ends.append([masked, inference, layer(maps, training=True)])
        ends[-1] += layer.get_weights()

    for ours, keras_own in zip(*ends, strict=True):
        np.testing.assert_array_equal(ours, keras_own)


def test_what_is_saved_is_keras_own_layer(tmp_path: Path) -> None:
    model = build(8, (4, 5, 5), {})
    config = model.get_config()
    fuse_batch_norms(model, jit=False)
    assert model.get_config() == config

    model.save(tmp_path / "model.keras")
    layer = keras.models.load_model(tmp_path / "model.keras").get_layer("norm")

    assert type(layer) is BatchNorm
    assert "call" not in vars(layer)


@pytest.mark.parametrize("jit", [False, True], ids=["", "xla"])
def test_maps_may_have_any_size(jit: bool) -> None:
    layer = BatchNorm(momentum=0.0)
    inputs = keras.Input((None, None, 3))
    model = keras.Model(inputs, layer(inputs))
    fuse_batch_norms(model, jit=jit)
    assert model(inputs, training=True).shape == (None, None, None, 3)
    maps = np.random.default_rng(0).normal(1000.0, 1, (2, 5, 8, 3)).astype("f4")

    model(maps, training=True)

    np.testing.assert_allclose(layer.moving_mean, maps.mean((0, 1, 2)), rtol=1e-6)
    variance = maps.astype("f8").var((0, 1, 2))
    np.testing.assert_allclose(layer.moving_variance, variance, rtol=1e-4)


def test_layers_of_nested_networks_are_found() -> None:
    inner = build(8, (4, 5, 5), {})
    inputs = keras.Input((5, 5, 2))
    assert fuse_batch_norms(keras.Model(inputs, inner(inputs)), jit=False) == ["norm"]
