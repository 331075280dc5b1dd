import math
from typing import Any

import keras
import numpy as np
import pytest

from experiments.training.losses import build_loss, outputs_probabilities

LOGITS = np.array([[2.0, 0.0, -1.0], [0.5, 1.5, 0.0]], "float32")
PROBABILITIES = np.exp(LOGITS) / np.exp(LOGITS).sum(1, keepdims=True)
LABELS = np.array([0, 2], "int32")


def expected(smoothing: float) -> float:
    """The definition, term by term."""
    total = 0.0
    for row, label in zip(PROBABILITIES, LABELS, strict=True):
        for k, p in enumerate(row):
            target = (1 - smoothing) * (k == label) + smoothing / 3
            total -= target * math.log(p)
    return total / 2


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.5])
@pytest.mark.parametrize("from_logits", [True, False])
def test_loss_equals_its_definition(smoothing: float, from_logits: bool) -> None:
    loss = build_loss(from_logits=from_logits, label_smoothing=smoothing, num_classes=3)
    outputs = LOGITS if from_logits else PROBABILITIES

    assert float(loss(LABELS, outputs)) == pytest.approx(expected(smoothing), rel=1e-5)


def test_labels_may_have_an_axis_of_one() -> None:
    loss = build_loss(from_logits=True, label_smoothing=0.1, num_classes=3)

    assert float(loss(LABELS[:, None], LOGITS)) == pytest.approx(
        expected(0.1), rel=1e-5
    )


def heads() -> list[Any]:
    dense, softmax = keras.layers.Dense, keras.layers.Softmax
    cast = keras.layers.Activation("linear", dtype="float32")
    nested = keras.Sequential([keras.Input((4,)), dense(3, activation="softmax")])
    return [
        pytest.param([dense(3)], False, id="logits"),
        pytest.param([dense(3, activation="softmax")], True, id="softmax"),
        pytest.param([dense(3), softmax()], True, id="softmax layer"),
        pytest.param(
            [dense(3), keras.layers.Activation("softmax")], True, id="activation"
        ),
        pytest.param([dense(3, activation="softmax"), cast], True, id="cast"),
        pytest.param([keras.layers.Rescaling(1.0), nested], True, id="nested"),
        pytest.param([softmax(), dense(3)], False, id="inner softmax"),
    ]


@pytest.mark.parametrize(("layers", "is_probability"), heads())
def test_head_tells_what_it_outputs(layers: list[Any], is_probability: bool) -> None:
    model = keras.Sequential([keras.Input((4,)), *layers])

    assert outputs_probabilities(model) is is_probability


def test_head_of_a_functional_model_is_found() -> None:
    inputs = keras.Input((4,))
    left = keras.layers.Dense(3, activation="softmax")(inputs)
    outputs = keras.layers.Add()([left, keras.layers.Dense(3)(inputs)])

    assert not outputs_probabilities(keras.Model(inputs, outputs))


def test_weights_of_images_multiply_their_losses_and_not_their_number() -> None:
    from experiments.training.losses import build_training_loss

    loss = build_training_loss(from_logits=True, label_smoothing=0.0, num_classes=2)
    labels, logits = np.array([0, 1]), np.array([[1.0, 0.0], [2.0, 0.0]], "float32")
    each = np.log(np.exp(logits).sum(1)) - logits[[0, 1], labels]

    found = float(loss(labels, logits, np.array([3.0, 0.5], "float32")))

    assert found == pytest.approx((3.0 * each[0] + 0.5 * each[1]) / 2, rel=1e-5)
