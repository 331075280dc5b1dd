from typing import Any

import keras
import numpy as np
import pytest

from experiments.builders.loss import build_judgement
from experiments.errors import ConfigError
from experiments.training.image_losses import FocalLoss
from tests.tiny import TINY

LABELS = np.array([0, 1, 2, 1], "int32")
LOGITS = np.random.default_rng(0).normal(size=(4, 10)).astype("float32")
ALLOWED = "allowed_targets=[experiments,keras.optimizers,keras.callbacks"


class Squares(keras.losses.Loss):
    """A loss of one's own."""

    def __init__(self, *, from_logits: bool, factor: float) -> None:
        super().__init__()
        assert from_logits
        self.factor = factor

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return self.factor * keras.ops.sum((y_true - y_pred) ** 2, axis=-1)


class NoLoss:
    def __init__(self, **_: Any) -> None: ...


def network(activation: str | None = None) -> Any:
    return keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(10, activation=activation)]
    )


def judge(check: Any, *overrides: str, model: Any = None) -> dict[str, Any]:
    run = check(*TINY, *overrides).run
    return build_judgement(run, model or network(), 10)


def targets(smoothing: float) -> Any:
    return (1 - smoothing) * np.eye(10)[LABELS] + smoothing / 10


@pytest.mark.parametrize("loss", ["cross_entropy", "binary_cross_entropy", "focal"])
def test_a_model_is_judged_by_the_plain_cross_entropy(check: Any, loss: str) -> None:
    judged = judge(check, f"loss={loss}")["loss"]
    assert type(judged) is keras.losses.SparseCategoricalCrossentropy


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_targets_of_any_loss_are_smoothed(check: Any, smoothing: float) -> None:
    loss = judge(check, "loss=focal", f"trainer.label_smoothing={smoothing}")

    focal = FocalLoss(from_logits=True, gamma=2.0, alpha=1.0)
    expected = focal.call(targets(smoothing).astype("float32"), LOGITS)
    assert float(loss["training_loss"](LABELS, LOGITS)) == pytest.approx(
        float(np.mean(expected)), rel=1e-5
    )


def test_an_own_loss_gets_targets_and_its_keys(check: Any) -> None:
    own = f"{__name__}.Squares"
    loss = judge(
        check,
        f"loss._target_={own}",
        "+loss.factor=3",
        "trainer.label_smoothing=0",
        f"{ALLOWED},{__name__}]",
    )

    expected = 3 * ((targets(0) - LOGITS) ** 2).sum(1).mean()
    assert float(loss["training_loss"](LABELS, LOGITS)) == pytest.approx(
        expected, rel=1e-5
    )


def test_a_loss_of_keras_is_taken_by_its_name(check: Any) -> None:
    theirs = ["loss._target_=keras.losses.CategoricalFocalCrossentropy"]
    theirs += ["loss.alpha=1.0", f"{ALLOWED},keras.losses]"]

    losses = [
        judge(check, "loss=focal", *more)["training_loss"](LABELS, LOGITS)
        for more in ([], theirs)
    ]

    assert float(losses[0]) == pytest.approx(float(losses[1]), rel=1e-5)


def test_what_is_no_loss_is_refused(check: Any) -> None:
    with pytest.raises(ConfigError, match=r"must name a subclass of keras.losses.Loss"):
        judge(check, f"loss._target_={__name__}.NoLoss", f"{ALLOWED},{__name__}]")


def test_sigmoids_of_an_own_networks_softmax_are_refused(check: Any) -> None:
    with pytest.raises(ConfigError, match="this network ends in a softmax"):
        judge(check, "loss=binary_cross_entropy", model=network("softmax"))
