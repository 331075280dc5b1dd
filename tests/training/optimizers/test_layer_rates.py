"""Each variable's steps are those of a NumPy copy of the rule with its own rate."""

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from experiments.training.optimizers.keras_classes import build_optimizer
from experiments.training.optimizers.layer_rates import scale_rates
from experiments.training.schedules import CosineSchedule

STEPS, LR, DECAY = 4, 0.1, 0.2
FACTORS = [0.25, 0.25, 0.5, 0.5, 1.0, 3.0]  # kernel, bias, gamma, beta, kernel, bias


def rates() -> CosineSchedule:
    return CosineSchedule(peak_lr=LR, steps_per_epoch=1, epochs=STEPS)


def draw(shape: Any, step: int) -> np.ndarray:
    return np.random.default_rng(step).normal(size=shape).astype("float32")


def train(model: Any, optimizer_class: Any, *, fused: bool, **options: Any) -> Any:
    optimizer = build_optimizer(
        optimizer_class, lr=rates(), model=model, fused=fused, **options
    )
    scale_rates(optimizer, FACTORS)
    variables = model.trainable_variables
    optimizer.build(variables)

    @tf.function
    def step(gradients: Any) -> None:
        optimizer.apply(gradients, variables)

    for number in range(STEPS):
        step([tf.constant(draw(v.shape, number)) for v in variables])
    return optimizer


def list_rates(factor: float) -> list[float]:
    steps = np.arange(STEPS)
    return list(factor * LR * (1 + np.cos(np.pi * steps / STEPS)) / 2)


def step_by_sgd(value: np.ndarray, factor: float, decay: float) -> np.ndarray:
    velocity = np.zeros_like(value)
    for step, lr in enumerate(list_rates(factor)):
        value = value * (1 - decay * lr)
        velocity = 0.9 * velocity - lr * draw(value.shape, step)
        value = value + velocity
    return value


def step_by_adam(value: np.ndarray, factor: float, decay: float) -> np.ndarray:
    m, v = np.zeros_like(value), np.zeros_like(value)
    for step, lr in enumerate(list_rates(factor)):
        value, gradient = value * (1 - decay * lr), draw(value.shape, step)
        m = 0.9 * m + 0.1 * gradient
        v = 0.999 * v + 0.001 * gradient**2
        corrected = m / (1 - 0.9 ** (step + 1)), v / (1 - 0.999 ** (step + 1))
        value = value - lr * corrected[0] / (np.sqrt(corrected[1]) + 1e-7)
    return value


@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize(
    ("optimizer_class", "options", "rule"),
    [
        (keras.optimizers.SGD, {"momentum": 0.9}, step_by_sgd),
        (keras.optimizers.AdamW, {}, step_by_adam),
    ],
    ids=["sgd", "adamw"],
)
def test_updates_and_decay_follow_the_rate_of_each_variable(
    fused: bool, optimizer_class: Any, options: Any, rule: Any, dense_model: Any
) -> None:
    model = dense_model()
    before = [v.numpy() for v in model.trainable_variables]
    optimizer = train(
        model, optimizer_class, fused=fused, weight_decay=DECAY, **options
    )
    for variable, start, factor in zip(
        model.trainable_variables, before, FACTORS, strict=True
    ):
        decay = DECAY if start.ndim > 1 else 0.0
        np.testing.assert_allclose(
            variable.numpy(), rule(start, factor, decay), rtol=3e-4, atol=1e-6
        )
    assert float(optimizer.learning_rate) == pytest.approx(0)  # of the schedule's end


@pytest.mark.parametrize(
    "optimizer_class",
    [
        keras.optimizers.Nadam,  # has a product of all variables, moved once a step
        keras.optimizers.Lion,
        keras.optimizers.RMSprop,
    ],
)
def test_factors_of_one_value_are_that_rate(
    optimizer_class: Any, dense_model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{__name__}.FACTORS", [0.5] * 6)
    halved, plain = dense_model(), dense_model()
    train(halved, optimizer_class, fused=True, weight_decay=DECAY)
    monkeypatch.setattr(f"{__name__}.LR", LR / 2)
    monkeypatch.setattr(f"{__name__}.FACTORS", [1.0] * 6)
    train(plain, optimizer_class, fused=True, weight_decay=DECAY)
    for one, other in zip(halved.variables, plain.variables, strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=1e-5, atol=1e-7)


def test_averages_clipping_and_loss_scaling_go_with_it(dense_model: Any) -> None:
    inner = build_optimizer(
        keras.optimizers.Adam,
        lr=0.1,
        model=(model := dense_model()),
        ema_momentum=0.5,
        clip_norm=1.0,
    )
    scale_rates(inner, FACTORS)
    optimizer = keras.optimizers.LossScaleOptimizer(inner)
    optimizer.build(model.trainable_variables)
    before = [v.numpy() for v in model.trainable_variables]
    gradients = [tf.ones(v.shape) for v in model.trainable_variables]
    optimizer.apply(
        [optimizer.scale_loss(g) for g in gradients], model.trainable_variables
    )
    for variable, start, factor in zip(
        model.trainable_variables, before, FACTORS, strict=True
    ):
        # Adam's first step is the rate, whatever the gradient.
        np.testing.assert_allclose(start - variable.numpy(), 0.1 * factor, rtol=1e-3)
