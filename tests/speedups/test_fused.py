"""Fused updates do what Keras' own do, by fewer operations."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from experiments.speedups.fused import fuse_updates
from experiments.training.optimizers.keras_classes import build_optimizer
from experiments.training.optimizers.lamb import Lamb
from experiments.training.optimizers.schedule_free import ScheduleFreeAdamW

Model = Callable[..., Any]
Adam, AdamW, SGD = keras.optimizers.Adam, keras.optimizers.AdamW, keras.optimizers.SGD
STEPS = 5


def draw_gradients(model: Any, step: int) -> list[Any]:
    generator = np.random.default_rng(step)
    return [
        tf.constant(generator.normal(size=v.shape), v.dtype)
        for v in model.trainable_variables
    ]


def count_operations(optimizer: Any, model: Any) -> dict[str, int]:
    """Counts the operations of each kind in the graph of a step."""
    optimizer.build(model.trainable_variables)

    @tf.function
    def step(gradients: Any) -> None:
        optimizer.apply(gradients, model.trainable_variables)

    graph = step.get_concrete_function(draw_gradients(model, 0)).graph
    kinds = [operation.type for operation in graph.get_operations()]
    return {kind: kinds.count(kind) for kind in sorted(set(kinds))}


def train(optimizer: Any, model: Any, *, jit: bool = False) -> list[np.ndarray]:
    """Applies some gradients; returns all that a step changes."""
    optimizer.build(model.trainable_variables)

    @tf.function(jit_compile=jit)
    def step(gradients: Any) -> None:
        optimizer.apply(gradients, model.trainable_variables)

    for number in range(STEPS):
        step(draw_gradients(model, number))
    return [v.numpy() for v in (*model.trainable_variables, *optimizer.variables)]


CASES = {
    "adam": (Adam, {}),
    "adam, all of it": (
        Adam,
        {"beta_1": 0.8, "beta_2": 0.9, "epsilon": 1e-3, "global_clip_norm": 1.0},
    ),
    "adamw": (AdamW, {"weight_decay": 0.1, "ema_momentum": 0.5}),
    "accumulating": (AdamW, {"gradient_accumulation_steps": 2, "weight_decay": 0.1}),
    "sgd": (SGD, {}),
    "momentum": (SGD, {"momentum": 0.9, "weight_decay": 0.1, "clip_norm": 1.0}),
    "nesterov": (SGD, {"momentum": 0.9, "nesterov": True, "clip_value": 0.5}),
}


@pytest.mark.parametrize(("kind", "options"), CASES.values(), ids=CASES)
@pytest.mark.parametrize("jit", [False, True], ids=["", "xla"])
def test_updates_are_those_of_keras(
    kind: Any, options: dict[str, Any], jit: bool, dense_model: Model
) -> None:
    schedule = keras.optimizers.schedules.PolynomialDecay(0.1, STEPS)
    ends = []
    for fused in (True, False):
        model = dense_model()
        optimizer = build_optimizer(
            kind, lr=schedule, model=model, fused=fused, **options
        )
        ends.append(train(optimizer, model, jit=jit))

    start = dense_model().get_weights()[0]
    assert not np.allclose(ends[0][0], start)
    for ours, theirs in zip(*ends, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=2e-6)


@pytest.mark.parametrize(
    ("kind", "options", "operation"),
    [
        (Adam, {}, "ResourceApplyAdam"),
        (SGD, {}, "ResourceApplyGradientDescent"),
        (SGD, {"momentum": 0.9}, "ResourceApplyKerasMomentum"),
    ],
)
def test_a_variable_takes_one_operation(
    kind: Any, options: dict[str, Any], operation: str, dense_model: Model
) -> None:
    model = dense_model()
    variables = len(model.trainable_variables)

    fused = count_operations(
        build_optimizer(kind, lr=0.1, model=model, **options), model
    )
    plain = build_optimizer(kind, lr=0.1, model=model, fused=False, **options)

    assert fused[operation] == variables
    assert "AssignSubVariableOp" not in fused
    assert sum(fused.values()) < 0.7 * sum(count_operations(plain, model).values())


class OwnAdam(Adam):  # type: ignore[misc]
    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        self.assign_sub(variable, gradient)


@pytest.mark.parametrize(
    "optimizer",
    [
        keras.optimizers.RMSprop(),
        keras.optimizers.Lion(),
        keras.optimizers.Nadam(),
        keras.optimizers.Adamax(),
        keras.optimizers.Muon(),
        Lamb(),
        ScheduleFreeAdamW(),
        Adam(amsgrad=True),
        OwnAdam(),
    ],
    ids=lambda optimizer: type(optimizer).__name__,
)
def test_other_formulas_stay_as_they_are(optimizer: Any) -> None:
    assert not fuse_updates(optimizer)
    assert "_backend_update_step" not in vars(optimizer)


def test_copies_on_several_devices_stay_in_step_by_keras() -> None:
    with tf.distribute.MirroredStrategy(["CPU:0"]).scope():
        assert not fuse_updates(Adam())


def test_gradients_of_some_rows_move_these_rows(dense_model: Model) -> None:
    ends = []
    for fused in (True, False):
        model = dense_model()
        optimizer = build_optimizer(Adam, lr=0.1, model=model, fused=fused)
        gradients = draw_gradients(model, 0)
        gradients[0] = tf.IndexedSlices(gradients[0][:2], [0, 3], gradients[0].shape)
        optimizer.apply(gradients, model.trainable_variables)
        ends.append(model.get_weights())

    for ours, theirs in zip(*ends, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_scaled_losses_are_unscaled_first(dense_model: Model) -> None:
    model = dense_model()
    optimizer = build_optimizer(SGD, lr=0.5, model=model)
    scaled = keras.optimizers.LossScaleOptimizer(optimizer, initial_scale=8.0)
    before = model.get_weights()

    scaled.apply(
        [8 * tf.ones(v.shape) for v in model.trainable_variables],
        model.trainable_variables,
    )

    for old, new in zip(before[:2], model.get_weights()[:2], strict=True):
        np.testing.assert_allclose(new, old - 0.5, rtol=1e-6)


def test_weights_of_other_types_are_left_to_keras() -> None:
    layer = keras.layers.Dense(1, dtype="float64")
    layer.build((None, 2))
    optimizer = SGD(0.5)
    assert fuse_updates(optimizer)
    optimizer.build(layer.trainable_variables)

    optimizer.apply([tf.ones(v.shape, "float64") for v in layer.trainable_variables])

    assert layer.bias.numpy() == [-0.5]


def test_a_saved_optimizer_is_keras_own(dense_model: Model) -> None:
    model = dense_model()
    fused = build_optimizer(Adam, lr=0.1, model=model, name="own")
    plain = build_optimizer(Adam, lr=0.1, model=model, name="own", fused=False)

    described = keras.saving.serialize_keras_object(fused)

    assert described == keras.saving.serialize_keras_object(plain)
    assert type(keras.saving.deserialize_keras_object(described)) is Adam
