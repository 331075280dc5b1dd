"""Batch norm against its definition in double precision, beside Keras' own layer.

Definition (Ioffe and Szegedy, 2015, Algorithm 1): each channel's mean and population
variance over batch and positions, maps less the mean over the root of the variance plus
epsilon, times gamma plus beta. Its gradients are those of the paper's section 3. A
layer in single precision may be ten times as far from it as Keras' is, wherever the
mean of the batch lies: told in deviations from the moving mean, which is 0.
"""

import functools
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from experiments.speedups.batch_norm import fuse_batch_norms

SHAPE = (16, 9, 9, 32)
EPSILON = 1e-3
KEPT = 0.5
RATIOS = (0.0, 1.0, 10.0, -100.0, 1000.0, 10_000.0)
QUANTITIES = ("outputs", "d_maps", "d_gamma", "d_beta", "mean", "variance")
# Two roundings to single precision: what the order of a sum alone can make.
FLOOR = 2.0**-22
Step = Callable[[Any, Any], tuple[Any, ...]]


def normalize(maps, gradient, gamma, beta):
    """The definition; maps and what comes back through the outputs, all float64."""
    axes = (0, 1, 2)
    mean = maps.mean(axes)
    variance = np.square(maps - mean).mean(axes)
    root = np.sqrt(variance + EPSILON)
    hat = (maps - mean) / root
    d_beta, d_gamma = gradient.sum(axes), (gradient * hat).sum(axes)
    count = maps[..., 0].size
    d_maps = gamma / root * (gradient - d_beta / count - hat * d_gamma / count)
    moving = KEPT * 0 + (1 - KEPT) * mean, KEPT * 1 + (1 - KEPT) * variance
    return gamma * hat + beta, d_maps, d_gamma, d_beta, *moving


def draw(seed: int, shape: tuple[int, ...] = SHAPE) -> tuple[Any, ...]:
    """Returns maps around 0 with deviation 1, a gradient, gamma and beta."""
    generator = np.random.default_rng(seed)
    maps, gradient = generator.normal(size=(2, *shape))
    gamma, beta = generator.normal(1, 0.3, (2, shape[-1]))
    return maps, *(part.astype("f4") for part in (gradient, gamma, beta))


def build_layer(shape: tuple[int, ...], fused: bool, jit: bool, dtype: str) -> Any:
    layer = keras.layers.BatchNormalization(momentum=KEPT, epsilon=EPSILON, dtype=dtype)
    model = keras.Sequential([keras.Input(shape[1:]), layer])
    if fused:
        assert fuse_batch_norms(model, jit=jit) == [layer.name]
    return layer


def make_step_of_tensorflow(layer: Any, jit: bool) -> Step:
    import tensorflow as tf

    @tf.function(jit_compile=jit)
    def step(maps: Any, gradient: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(maps)
            outputs = layer(maps, training=True)
            loss = tf.reduce_sum(tf.cast(outputs, "float32") * gradient)
        weights = layer.gamma.value, layer.beta.value
        return outputs, *tape.gradient(loss, (maps, *weights))

    def take(maps: Any, gradient: Any) -> tuple[Any, ...]:
        results = step(tf.constant(maps, layer.compute_dtype), tf.constant(gradient))
        return *results, layer.moving_mean, layer.moving_variance

    return take


def make_step_of_jax(layer: Any) -> Step:
    import jax

    def lose(trained: Any, maps: Any, kept: Any, gradient: Any) -> Any:
        outputs, kept = layer.stateless_call(trained, kept, maps, training=True)
        return (outputs * gradient).sum(), (outputs, kept)

    step = jax.jit(jax.value_and_grad(lose, argnums=(0, 1), has_aux=True))

    def take(maps: Any, gradient: Any) -> tuple[Any, ...]:
        trained = [variable.value for variable in layer.trainable_variables]
        kept = [variable.value for variable in layer.non_trainable_variables]
        (_, (outputs, kept)), (weights, d_maps) = step(trained, maps, kept, gradient)
        return outputs, d_maps, *weights, *kept

    return take


def measure(
    cases: dict[str, tuple[Any, ...]],
    *,
    jit: bool,
    fused: bool,
    dtype: str = "float32",
) -> dict[str, list[float]]:
    """Returns each case's largest error of each quantity, in its own largest unit."""
    shape = next(iter(cases.values()))[0].shape
    layer = build_layer(shape, fused, jit, dtype)
    on_jax = keras.backend.backend() == "jax"
    step = make_step_of_jax(layer) if on_jax else make_step_of_tensorflow(layer, jit)
    errors = {}
    for name, (maps, gradient, gamma, beta) in cases.items():
        values = gamma, beta, np.zeros_like(beta), np.ones_like(beta)
        layer.set_weights(values)
        exact = normalize(*(np.asarray(part, "f8") for part in cases[name]))
        results = step(maps, gradient)
        errors[name] = [
            float(np.abs(np.asarray(one, "f8") - other).max() / unit(other, quantity))
            for quantity, one, other in zip(QUANTITIES, results, exact, strict=True)
        ]
    return errors


def unit(exact: Any, quantity: str) -> float:
    """Returns what an error is told in: a mean at least in deviations, which are 1."""
    largest = float(np.abs(exact).max())
    return max(largest, 1.0) if quantity == "mean" else largest or 1.0


def shift_maps() -> dict[str, tuple[Any, ...]]:
    maps, *others = draw(0)
    return {str(ratio): ((maps + ratio).astype("f4"), *others) for ratio in RATIOS}


@functools.cache
def measure_both(kind: str) -> tuple[dict[str, list[float]], ...]:
    """Returns the errors of the project's layer and of Keras' own, over all ratios."""
    if kind != "jax":
        jit = kind == "one pass"
        pair = (measure(shift_maps(), jit=jit, fused=fused) for fused in (True, False))
        return tuple(pair)
    script = (
        "import json; from tests.oracles.test_batch_norm import measure, shift_maps; "
        "print(json.dumps([measure(shift_maps(), jit=True, fused=fused) "
        "for fused in (True, False)]))"
    )
    result = subprocess.run(
        [sys.executable, "-c", script],
        cwd=Path(__file__).resolve().parents[2],
        env={**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    return tuple(json.loads(result.stdout.splitlines()[-1]))


def assert_as_near(ours: list[float], of_keras: list[float]) -> None:
    for quantity, one, other in zip(QUANTITIES, ours, of_keras, strict=True):
        assert one <= max(10 * other, FLOOR), quantity


@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize(
    "kind",
    [
        "one operation",
        "one pass",
        pytest.param(
            "jax",
            marks=pytest.mark.skipif(
                importlib.util.find_spec("jax") is None,
                reason="JAX is an optional extra",
            ),
        ),
    ],
)
def test_the_first_step_is_as_exact_as_that_of_keras(kind: str, ratio: float) -> None:
    ours, of_keras = measure_both(kind)

    assert_as_near(ours[str(ratio)], of_keras[str(ratio)])


@pytest.mark.parametrize("batch", [1, 3])
def test_a_partial_batch_is_as_exact_as_that_of_keras(batch: int) -> None:
    maps, *others = draw(1, (batch, 7, 5, 6))
    cases = {"far": ((maps + 1000).astype("f4"), *others)}

    ours, of_keras = (measure(cases, jit=True, fused=f) for f in (True, False))

    assert_as_near(ours["far"], of_keras["far"])


@pytest.mark.parametrize("dtype", ["mixed_bfloat16", "mixed_float16"])
def test_half_precision_is_as_exact_as_that_of_keras(dtype: str) -> None:
    import tensorflow as tf

    maps, *others = draw(2, (8, 5, 5, 8))
    half = tf.as_dtype(dtype.removeprefix("mixed_")).as_numpy_dtype
    cases = {"far": ((maps + 100).astype(half), *others)}

    ours, of_keras = (
        measure(cases, jit=True, fused=f, dtype=dtype) for f in (True, False)
    )

    assert_as_near(ours["far"], of_keras["far"])


def test_a_position_unlike_all_others_costs_few_digits() -> None:
    maps, *others = draw(3, (8, 9, 9, 4))
    spiked = {}
    for row in range(9):  # the one that the layer looks at among them
        spiked[str(row)] = maps.astype("f4"), *others
        spiked[str(row)][0][:, row, row] += 1000

    errors = measure(spiked, jit=True, fused=True)

    # Its square distance to the mean is 80 variances.
    assert max(max(case) for case in errors.values()) < 80 * 10 * FLOOR


@pytest.mark.parametrize("batch", [3, 4])
def test_constant_maps_become_the_offset(batch: int) -> None:
    maps, *others = draw(4, (batch, 5, 5, 3))
    cases = {"same": (np.full_like(maps, 1234.5, "f4"), *others)}

    outputs, _, _, _, mean, variance = measure(cases, jit=True, fused=True)["same"]

    assert max(outputs, mean, variance) < FLOOR
