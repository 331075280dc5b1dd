"""TensorFlow's warning of a function that is compiled again and again."""

import logging
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from experiments.training.loop.fit import compile_model


@pytest.fixture
def warnings() -> Iterator[list[str]]:
    """What TensorFlow says of retracing."""
    said: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: said.append(record.getMessage())  # type: ignore[method-assign]
    tf.get_logger().addHandler(handler)
    yield said
    tf.get_logger().removeHandler(handler)


def train(model: Any, compile_anew: Any) -> None:
    images, labels = np.zeros((2, 3), "float32"), np.zeros(2, "int32")
    for _ in range(4):
        compile_anew()
        model.fit(images, labels, validation_data=(images, labels), verbose=0)


@pytest.fixture
def model() -> Any:
    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])


def make_options() -> dict[str, Any]:
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    return {"optimizer": keras.optimizers.SGD(), "loss": loss}


def test_phases_of_short_epochs_are_compiled_without_a_warning(
    warnings: list[str], model: Any
) -> None:
    def compile_ours() -> None:
        compile_model(model, **make_options(), metrics=[], jit=False)

    train(model, lambda: model.compile(**make_options()))
    assert any("retracing" in line for line in warnings)  # of Keras alone
    warnings.clear()
    train(model, compile_ours)
    assert warnings == []


def test_what_is_compiled_anew_within_a_phase_is_still_told(
    warnings: list[str], model: Any
) -> None:
    compile_model(model, **make_options(), metrics=[], jit=False)
    double = tf.function(lambda x: 2 * x)
    for number in range(6):
        double(number)
    assert any("retracing" in line for line in warnings)
