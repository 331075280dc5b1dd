from typing import Any

import keras
import numpy as np
import pytest

from experiments.training.checkpoints.state import average_weights, keeps_averages
from experiments.training.optimizers.averaging import SwapAverages
from experiments.training.optimizers.keras_classes import build_optimizer


@pytest.fixture
def model(dense_model: Any) -> Any:
    """A model whose averages have other values than its weights."""
    model = dense_model()
    optimizer = build_optimizer(
        keras.optimizers.SGD, lr=0.1, model=model, ema_momentum=0.9
    )
    model.compile(optimizer, "mse")
    optimizer.build(model.trainable_variables)
    generator = np.random.default_rng(0)
    for variable in (*model.trainable_variables, *averages(model)):
        scale = 10.0 ** generator.integers(-6, 6, variable.shape)
        variable.assign(scale * generator.normal(size=variable.shape))
    return model


def averages(model: Any) -> list[Any]:
    return [v for v in model.optimizer.variables if v.path.endswith("_average")]


def values(variables: Any) -> list[Any]:
    return [np.array(variable) for variable in variables]


def assert_equal(left: Any, right: Any) -> None:
    for a, b in zip(left, right, strict=True):
        np.testing.assert_array_equal(a, b)


def test_validation_sees_the_averages_and_gives_the_very_weights_back(
    model: Any,
) -> None:
    weights, means = values(model.trainable_variables), values(averages(model))
    callback = SwapAverages()
    callback.set_model(model)

    callback.on_test_begin()
    assert_equal(values(model.trainable_variables), means)
    callback.on_test_end()

    assert_equal(values(model.trainable_variables), weights)
    assert_equal(values(averages(model)), means)


def test_final_model_is_the_average(model: Any) -> None:
    means = values(averages(model))

    average_weights(model)

    assert_equal(values(model.trainable_variables), means)


def test_optimizer_without_averages_keeps_its_weights(dense_model: Any) -> None:
    model = dense_model(keras.optimizers.SGD(0.1))
    weights = values(model.trainable_variables)

    average_weights(model)

    assert not keeps_averages(model)
    assert_equal(values(model.trainable_variables), weights)


def test_averages_are_found_below_loss_scaling(model: Any) -> None:
    scaled = keras.optimizers.LossScaleOptimizer(model.optimizer)
    model.compile(scaled, "mse")

    assert keeps_averages(model)
