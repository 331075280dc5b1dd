from typing import Any

import keras
import numpy as np
import pytest

from experiments.builders.data import build_dataset
from experiments.builders.loss import build_judgement
from experiments.builders.model import Images
from experiments.errors import ConfigError
from experiments.training.image_losses import FocalLoss
from tests.tiny import TINY

LABELS = np.array([0, 1, 2, 1], "int32")
LOGITS = np.random.default_rng(0).normal(size=(4, 10)).astype("float32")
MIXED = np.random.default_rng(1).dirichlet(np.ones(10), 4)
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
    return build_judgement(run, model or network(), build_dataset(run))


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


def test_images_count_by_the_weights_of_their_classes(check: Any) -> None:
    weights = "loss.class_weight={class_1: 3.0, class_2: 0}"
    loss = judge(check, weights, "trainer.label_smoothing=0.1")["training_loss"]
    w = np.array([1, 3, 0, *[1] * 7])
    logs = np.log(np.exp(LOGITS) / np.exp(LOGITS).sum(1, keepdims=True))

    for shares in (np.eye(10)[LABELS], MIXED):
        smoothed = 0.9 * shares + 0.01
        expected = ((shares * w).sum(1) * -(smoothed * logs).sum(1)).mean()
        given = LABELS if shares is not MIXED else MIXED.astype("float32")
        assert float(loss(given, LOGITS)) == pytest.approx(expected, rel=1e-5)


def test_an_unknown_class_is_told_with_those_there_are(check: Any) -> None:
    with pytest.raises(
        ConfigError,
        match=r"loss\.class_weight\.1 names no class of the data set, which has class",
    ):
        judge(check, "loss.class_weight={1: 3, class_2: 1}")


def test_classes_are_weighed_where_weights_bring_their_own_preprocessing(
    check: Any,
) -> None:
    run = check(*TINY, "loss.class_weight={class_2: 9}").run
    dataset = build_dataset(run)
    images = Images.of(dataset, mean=dataset.mean, std=dataset.std)
    plain, prepared = (
        build_judgement(run, network(), one)["training_loss"]
        for one in (dataset, images)
    )
    assert float(plain(LABELS, LOGITS)) == float(prepared(LABELS, LOGITS))
    unweighed = build_judgement(check(*TINY).run, network(), images)["training_loss"]
    assert float(prepared(LABELS, LOGITS)) != float(unweighed(LABELS, LOGITS))
