"""LAMB's update against the published rule, written a second time in NumPy."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from experiments.training.optimizers.keras_classes import build_optimizer
from experiments.training.optimizers.lamb import Lamb

RATE, BETA_1, BETA_2, EPSILON = 0.1, 0.9, 0.99, 1e-6


def follow_rule(
    weights: np.ndarray, gradients: list[np.ndarray], *, decay: float, adapts: bool
) -> np.ndarray:
    """Algorithm 2 of the paper for one variable."""
    m, v = np.zeros_like(weights), np.zeros_like(weights)
    for t, g in enumerate(gradients, start=1):
        m = BETA_1 * m + (1 - BETA_1) * g
        v = BETA_2 * v + (1 - BETA_2) * g * g
        r = (m / (1 - BETA_1**t)) / (np.sqrt(v / (1 - BETA_2**t)) + EPSILON)
        if adapts:
            r = r + decay * weights
            r = r * np.linalg.norm(weights) / np.linalg.norm(r)
        weights = weights - RATE * r
    return weights


@pytest.mark.parametrize("everything", [False, True])
@pytest.mark.parametrize("decay", [None, 0.3])
def test_steps_are_those_of_the_paper(
    decay: float | None, everything: bool, dense_model: Any
) -> None:
    model = dense_model()
    optimizer = build_optimizer(
        Lamb,
        lr=RATE,
        model=model,
        weight_decay=decay,
        decay_norm_and_bias=everything,
        beta_1=BETA_1,
        beta_2=BETA_2,
        epsilon=EPSILON,
    )
    draw = np.random.default_rng(0)
    variables = model.trainable_variables
    for variable in variables:
        variable.assign(draw.normal(size=variable.shape))
    before = [np.array(v) for v in variables]
    steps = [[draw.normal(size=v.shape) for v in variables] for _ in range(5)]
    optimizer.build(variables)
    for gradients in steps:
        optimizer.apply([keras.ops.array(g, "float32") for g in gradients])

    for n, variable in enumerate(variables):
        expected = follow_rule(
            before[n].astype(np.float64),
            [gradients[n] for gradients in steps],
            decay=decay or 0.0,
            adapts=everything or variable.shape.rank > 1,
        )
        np.testing.assert_allclose(np.array(variable), expected, rtol=2e-5, atol=1e-6)


def test_a_step_is_as_long_as_the_rate_times_the_weights() -> None:
    """Which the decay outside of the ratio, as Keras has it, would change."""
    weights = keras.Variable(np.full((2, 2), 3.0, "float32"))
    optimizer = Lamb(RATE, weight_decay=0.5)
    optimizer.build([weights])
    optimizer.apply([np.ones((2, 2), "float32")])

    assert np.linalg.norm(np.array(weights) - 3) == pytest.approx(RATE * 6, rel=1e-5)


@pytest.mark.parametrize("zero", ["weights", "gradient"])
def test_without_a_norm_the_ratio_is_1(zero: str) -> None:
    start = 0.0 if zero == "weights" else 1.0
    weights = keras.Variable(np.full(3, start, "float32"))
    optimizer = Lamb(RATE)
    optimizer.build([weights])
    optimizer.apply([np.full(3, 1.0 - start, "float32")])

    expected = start - (RATE if zero == "weights" else 0)
    np.testing.assert_allclose(np.array(weights), expected, rtol=1e-4)


def test_saved_model_brings_it_back(dense_model: Any, tmp_path: Path) -> None:
    model = dense_model(Lamb(0.01, beta_1=0.8, weight_decay=0.1))
    model.train_on_batch(np.ones((2, 4)), np.zeros(2))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras").optimizer

    assert type(loaded) is Lamb
    assert loaded.get_config() == model.optimizer.get_config()
    for left, right in zip(loaded.variables, model.optimizer.variables, strict=True):
        np.testing.assert_array_equal(np.array(left), np.array(right))
