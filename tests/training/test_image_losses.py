"""Each loss against its formula, written with NumPy in float64."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

from experiments.training.image_losses import (
    BinaryCrossEntropy,
    BinaryFocalLoss,
    CrossEntropy,
    FocalLoss,
    PolyLoss,
)

LOGITS = np.array([[2.0, 0.0, -1.0], [0.5, 1.5, 0.0], [9.0, -9.0, 0.0]])
SHARES = np.array([[1.0, 0.0, 0.0], [0.3, 0.0, 0.7], [0.9, 0.05, 0.05]])
SEVERAL = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 0.0], [1.0, 0.0, 1.0]])
P = np.exp(LOGITS) / np.exp(LOGITS).sum(1, keepdims=True)
S = 1 / (1 + np.exp(-LOGITS))


def binary(targets: Any) -> Any:
    return -targets * np.log(S) - (1 - targets) * np.log(1 - S)


def focal(gamma: float, alpha: float) -> Any:
    return alpha * (-SHARES * (1 - P) ** gamma * np.log(P)).sum(1)


def binary_focal(gamma: float) -> Any:
    right = np.where(SEVERAL, S, 1 - S)
    return -((1 - right) ** gamma) * np.log(right)


def whole(targets: Any) -> Any:
    return (targets > 0.2).astype(float)


FBCE: dict[str, Any] = {"gamma": 2.0, "alpha": None, "over_classes": "mean"}
BCE: dict[str, Any] = {"target_threshold": None, "over_classes": "mean"}
CASES = [
    (CrossEntropy, {}, -(SHARES * np.log(P)).sum(1)),
    (BinaryCrossEntropy, BCE, binary(SHARES).mean(1)),
    (BinaryCrossEntropy, BCE | {"over_classes": "sum"}, binary(SHARES).sum(1)),
    (
        BinaryCrossEntropy,
        BCE | {"target_threshold": 0.2},
        binary(whole(SHARES)).mean(1),
    ),
    (FocalLoss, {"gamma": 0.0, "alpha": 1.0}, -(SHARES * np.log(P)).sum(1)),
    (FocalLoss, {"gamma": 2.0, "alpha": 0.25}, focal(2.0, 0.25)),
    (FocalLoss, {"gamma": 0.5, "alpha": 1.0}, focal(0.5, 1.0)),
    (
        PolyLoss,
        {"epsilon": 2.0},
        (-SHARES * np.log(P) + 2 * SHARES * (1 - P)).sum(1),
    ),
]


@pytest.mark.parametrize(("kind", "options", "expected"), CASES)
def test_loss_of_an_image_equals_its_formula(
    kind: Callable[..., Any], options: dict[str, Any], expected: Any
) -> None:
    loss = kind(from_logits=True, **options)

    found = loss.call(SHARES.astype("float32"), LOGITS.astype("float32"))

    np.testing.assert_allclose(np.asarray(found), expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("kind", "options", "expected"),
    [c for c in CASES if c[0] is not BinaryCrossEntropy],
)
def test_probabilities_say_the_same_as_their_logits(
    kind: Callable[..., Any], options: dict[str, Any], expected: Any
) -> None:
    loss = kind(from_logits=False, **options)
    rows = slice(2)  # Keras takes no probability for less than 1e-7

    found = loss.call(SHARES[rows].astype("float32"), P[rows].astype("float32"))

    np.testing.assert_allclose(np.asarray(found), expected[rows], rtol=1e-4)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"gamma": 0.0}, binary(SEVERAL).mean(1)),
        ({"over_classes": "sum"}, binary_focal(2.0).sum(1)),
        (
            {"alpha": 0.25},
            (binary_focal(2.0) * (0.25 * SEVERAL + 0.75 * (1 - SEVERAL))).mean(1),
        ),
    ],
)
def test_binary_focal_loss_equals_its_formula(
    options: dict[str, Any], expected: Any
) -> None:
    loss = BinaryFocalLoss(from_logits=True, **FBCE | options)

    found = loss.call(SEVERAL.astype("float32"), LOGITS.astype("float32"))

    np.testing.assert_allclose(np.asarray(found), expected, rtol=1e-4, atol=1e-12)


def test_binary_focal_loss_is_that_of_keras() -> None:
    theirs = keras.losses.BinaryFocalCrossentropy(
        apply_class_balancing=True,
        alpha=0.25,
        gamma=2.0,
        from_logits=True,
        reduction=None,
    )
    ours = BinaryFocalLoss(from_logits=True, **FBCE | {"alpha": 0.25})
    given = SEVERAL[:2].astype("float32"), LOGITS[:2].astype("float32")

    np.testing.assert_allclose(
        np.asarray(ours.call(*given)), np.asarray(theirs(*given)), rtol=1e-5
    )


def test_focal_loss_is_that_of_keras() -> None:
    theirs = keras.losses.CategoricalFocalCrossentropy(
        alpha=0.25, gamma=2.0, from_logits=True, reduction=None
    )
    ours = FocalLoss(from_logits=True, gamma=2.0, alpha=0.25)
    given = SHARES[:2].astype("float32"), LOGITS[:2].astype("float32")

    np.testing.assert_allclose(
        np.asarray(ours.call(*given)), np.asarray(theirs(*given)), rtol=1e-5
    )


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
@pytest.mark.parametrize("from_logits", [True, False])
def test_focal_loss_has_a_slope_where_the_network_is_wholly_sure(
    gamma: float, from_logits: bool
) -> None:
    import tensorflow as tf

    loss = FocalLoss(from_logits=from_logits, gamma=gamma, alpha=1.0)
    sure = [[200.0, 0.0], [0.0, 200.0]] if from_logits else [[1.0, 0.0], [0.0, 1.0]]
    outputs, targets = tf.constant(sure), tf.constant([[1.0, 0.0], [1.0, 0.0]])
    with tf.GradientTape() as tape:
        tape.watch(outputs)
        total = tf.reduce_sum(loss.call(targets, outputs))

    assert np.isfinite(tape.gradient(total, outputs).numpy()).all()
    assert np.isfinite(float(total))


def test_sigmoids_of_probabilities_are_refused() -> None:
    with pytest.raises(ValueError, match="`from_logits` must be true"):
        BinaryCrossEntropy(from_logits=False, **BCE)
    with pytest.raises(ValueError, match="`from_logits` must be true"):
        BinaryFocalLoss(from_logits=False, **FBCE)


def test_softmax_is_what_sigmoids_say_of_one_right_class() -> None:
    """P(only c) over the sum of P(only j): what `evaluate` makes of such logits."""
    only = np.stack(
        [S[:, c] * np.delete(1 - S, c, axis=1).prod(1) for c in range(3)], axis=1
    )

    np.testing.assert_allclose(only / only.sum(1, keepdims=True), P, rtol=1e-9)
