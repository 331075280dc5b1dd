from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from experiments.training.optimizers.keras_classes import build_optimizer, scale_lr

Model = Callable[..., Any]


def apply_zero_gradients(optimizer: Any, model: Any) -> list[np.ndarray]:
    """Returns by what factor each variable shrank in a step that only decays."""
    for variable in model.trainable_variables:
        variable.assign(tf.ones_like(variable))
    zeros = [tf.zeros_like(v) for v in model.trainable_variables]
    optimizer.apply(zeros, model.trainable_variables)
    return [float(np.mean(v.numpy())) for v in model.trainable_variables]


CLASSES = [
    keras.optimizers.Adam,
    keras.optimizers.AdamW,
    keras.optimizers.SGD,
    keras.optimizers.RMSprop,
    keras.optimizers.Lion,
]


@pytest.mark.parametrize("optimizer_class", CLASSES)
def test_decay_spares_biases_and_normalisations(
    optimizer_class: Any, dense_model: Model
) -> None:
    model = dense_model()
    optimizer = build_optimizer(optimizer_class, lr=0.5, model=model, weight_decay=0.2)

    factors = apply_zero_gradients(optimizer, model)

    names = [v.path.split("/")[-1] for v in model.trainable_variables]
    assert names == ["kernel", "bias", "gamma", "beta", "kernel", "bias"]
    assert factors == pytest.approx([0.9, 1, 1, 1, 0.9, 1])


def test_decay_reaches_everything_when_asked(dense_model: Model) -> None:
    model = dense_model()
    optimizer = build_optimizer(
        keras.optimizers.SGD,
        lr=0.5,
        model=model,
        weight_decay=0.2,
        decay_norm_and_bias=True,
    )

    assert apply_zero_gradients(optimizer, model) == pytest.approx([0.9] * 6)


def test_decay_follows_the_schedule(dense_model: Model) -> None:
    schedule = keras.optimizers.schedules.PiecewiseConstantDecay([0], [0.5, 0.05])
    model = dense_model()
    optimizer = build_optimizer(
        keras.optimizers.SGD, lr=schedule, model=model, weight_decay=0.2
    )

    first = apply_zero_gradients(optimizer, model)[0]
    second = apply_zero_gradients(optimizer, model)[0]

    assert (first, second) == pytest.approx((1 - 0.5 * 0.2, 1 - 0.05 * 0.2))


def test_decoupled_decay_over_one_minus_momentum_acts_like_the_papers_l2_term() -> None:
    lr, momentum, l2, steps = 0.1, 0.9, 1e-3, 400
    layer = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    optimizer = build_optimizer(
        keras.optimizers.SGD,
        lr=lr,
        model=layer,
        weight_decay=l2 / (1 - momentum),
        momentum=momentum,
    )
    kernel = layer.layers[0].kernel
    kernel.assign([[1.0]])
    weight, velocity = 1.0, 0.0
    optimizer.build([kernel])
    for _ in range(steps):
        optimizer.apply([tf.zeros((1, 1))], [kernel])
        velocity = momentum * velocity - lr * l2 * weight
        weight += velocity

    decayed = kernel.numpy().item()
    assert decayed == pytest.approx((1 - 1e-3) ** steps, rel=1e-4)  # 0.670
    # The momentum needs a few steps to build up; undivided it would be 0.961.
    assert weight == pytest.approx(decayed, rel=0.01)


def test_class_arguments_and_clipping_reach_keras(dense_model: Model) -> None:
    optimizer = build_optimizer(
        keras.optimizers.SGD,
        lr=0.1,
        model=dense_model(),
        global_clip_norm=1.0,
        momentum=0.8,
        nesterov=True,
    )

    config = optimizer.get_config()

    assert (config["momentum"], config["nesterov"]) == (0.8, True)
    assert config["global_clipnorm"] == 1.0
    assert config["clipnorm"] is None


@pytest.mark.parametrize(
    ("clipping", "expected"),
    [
        ({"clip_value": 1.0}, (1.0, 1.0)),
        ({"clip_norm": 1.0}, (0.6, 0.8)),
        ({"global_clip_norm": 1.0}, (0.6, 0.8)),
    ],
)
def test_clipping_limits_the_update(
    clipping: dict[str, float], expected: tuple[float, float]
) -> None:
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, use_bias=False)])
    optimizer = build_optimizer(keras.optimizers.SGD, lr=1.0, model=model, **clipping)
    before = model.get_weights()[0]

    optimizer.apply([tf.constant([[3.0], [4.0]])], model.trainable_variables)

    moved = (before - model.get_weights()[0]).ravel()
    assert tuple(moved) == pytest.approx(expected, rel=1e-5)


def test_each_model_gets_an_optimizer_of_its_own(dense_model: Model) -> None:
    model = dense_model()

    first = build_optimizer(keras.optimizers.Adam, lr=1e-4, model=model)
    second = build_optimizer(keras.optimizers.Adam, lr=1e-4, model=model)

    assert first is not second
    assert not first.built


def test_unbuilt_model_is_refused() -> None:
    model = keras.Sequential([keras.layers.Dense(1)], name="net")

    with pytest.raises(ValueError, match="'net', not built"):
        build_optimizer(keras.optimizers.Adam, lr=1e-4, model=model)


@pytest.mark.parametrize(
    ("batch_size", "reference", "expected"),
    [(256, 256, 0.1), (32, 256, 0.0125), (1024, 256, 0.4), (32, None, 0.1)],
)
def test_rate_scales_linearly_with_the_batch(
    batch_size: int, reference: int | None, expected: float
) -> None:
    scaled = scale_lr(0.1, batch_size=batch_size, reference_batch_size=reference)

    assert scaled == pytest.approx(expected)


def test_ftrl_multiplies_weights_by_what_the_rate_has_become() -> None:
    """What `find_doubts` asks about: after a first step the rate is all that counts."""
    weights = keras.Variable(np.full(3, 2.0, "float32"))
    optimizer = keras.optimizers.Ftrl(
        learning_rate=1e-3, initial_accumulator_value=1e-12
    )
    optimizer.apply([np.full(3, 0.1, "float32")], [weights])
    np.testing.assert_allclose(np.array(weights), 2.0, atol=2e-3)

    optimizer.learning_rate = 1e-4
    optimizer.apply([np.zeros(3, "float32")], [weights])

    np.testing.assert_allclose(np.array(weights), 0.2, atol=2e-3)
