"""What is judged and kept is the average of the iterates, as in the paper."""

from typing import Any

import keras
import numpy as np
import pytest

from experiments.training.optimizers.keras_classes import build_optimizer
from experiments.training.optimizers.schedule_free import ScheduleFreeAdamW, ShowAverage

RATE, DECAY, BETA_1, BETA_2, EPSILON = 0.05, 0.2, 0.9, 0.99, 1e-8


def follow_rule(
    weights: np.ndarray, gradients: list[np.ndarray], decay: float
) -> tuple[np.ndarray, np.ndarray]:
    """Algorithm 1 of the paper: returns what is trained, and the mean."""
    z = y = weights
    iterates, v = [], np.zeros_like(weights)
    for t, g in enumerate(gradients, start=1):
        v = BETA_2 * v + (1 - BETA_2) * g * g
        z = z - RATE * (g / (np.sqrt(v / (1 - BETA_2**t)) + EPSILON) + decay * y)
        iterates.append(z)
        x = np.mean(iterates, axis=0)
        y = (1 - BETA_1) * z + BETA_1 * x
    return y, x


@pytest.fixture
def stepped(dense_model: Any) -> Any:
    """A model after some steps, with what is expected of each variable."""
    model = dense_model()
    optimizer = build_optimizer(
        ScheduleFreeAdamW,
        lr=RATE,
        model=model,
        weight_decay=DECAY,
        beta_1=BETA_1,
        beta_2=BETA_2,
        epsilon=EPSILON,
    )
    model.compile(optimizer, "mse")
    optimizer.build(model.trainable_variables)
    draw = np.random.default_rng(0)
    variables = model.trainable_variables
    before = [np.array(v) for v in variables]
    steps = [[draw.normal(size=v.shape) for v in variables] for _ in range(4)]
    for gradients in steps:
        optimizer.apply([keras.ops.array(g, "float32") for g in gradients])
    expected = [
        follow_rule(
            start,
            [gradients[n] for gradients in steps],
            DECAY if start.ndim > 1 else 0.0,
        )
        for n, start in enumerate(before)
    ]
    return model, expected


def assert_close(model: Any, expected: list[Any]) -> None:
    for variable, array in zip(model.trainable_variables, expected, strict=True):
        np.testing.assert_allclose(np.array(variable), array, rtol=1e-4, atol=1e-5)


def test_validation_sees_the_mean_and_gives_the_very_weights_back(stepped: Any) -> None:
    model, expected = stepped
    assert_close(model, [trained for trained, _ in expected])
    before = [np.array(v) for v in model.trainable_variables]
    callback = ShowAverage()
    callback.set_model(model)

    callback.on_test_begin()
    assert_close(model, [mean for _, mean in expected])
    callback.on_test_end()

    for variable, array in zip(model.trainable_variables, before, strict=True):
        np.testing.assert_array_equal(np.array(variable), array)


@pytest.mark.parametrize("scaled", [False, True])
def test_final_model_is_the_mean(stepped: Any, scaled: bool) -> None:
    model, expected = stepped
    optimizer = model.optimizer
    if scaled:
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    optimizer.finalize_variable_values(model.trainable_variables)

    assert_close(model, [mean for _, mean in expected])
