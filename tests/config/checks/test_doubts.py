"""A value with which nothing can be learnt is asked; no usual one is."""

from typing import Any

import pytest

from experiments.config.checks.doubts import find_doubts
from tests.conftest import CONF


@pytest.fixture
def doubts(check: Any) -> Any:
    return lambda *overrides: list(find_doubts(check(*overrides).run))


CROP = "augment=inception_crop"


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (
            ["optimizer.lr=1e-12"],
            "optimizer.lr=1e-12 hardly changes a weight: nothing will be learnt. "
            "Usual: 1e-5 to 1.",
        ),
        (["optimizer.lr=100"], "optimizer.lr=100 will throw the weights about"),
        (
            ["trainer.batch_size=16", "trainer.reference_batch_size=10000000"],
            "optimizer.lr=0.0001, 1.6e-10 by trainer.reference_batch_size, hardly",
        ),
        (
            ["optimizer=sgd", "optimizer.weight_decay=20"],
            "optimizer.weight_decay=20 times a rate of 0.1 leaves nothing of a weight: "
            "each step multiplies it by -1.",
        ),
        (["optimizer=sgd", "optimizer.momentum=1"], "optimizer.momentum=1 forgets no"),
        (["optimizer.epsilon=1000"], "optimizer.epsilon=1000 outweighs the gradients"),
        (
            ["optimizer=sgd", "optimizer.clip_norm=1e-20"],
            "optimizer.clip_norm=1e-20 leaves nothing of the gradients",
        ),
        (
            ["optimizer=schedule_free_adamw"],
            "ScheduleFreeAdamW averages in place of lowering the rate, which "
            "CosineSchedule does too. Usual: schedule=constant.",
        ),
        (["optimizer=ftrl"], "Ftrl makes each weight anew by the rate of the step:"),
        (
            ["optimizer=ftrl", "schedule=constant", "schedule.warmup_epochs=1"],
            "Ftrl makes each weight anew by the rate of the step:",
        ),
        (["optimizer=muon"], "Muon is Keras' rule for matrices: of this network that"),
        (
            ["trainer.sampling=balanced", "loss.class_weight=balanced"],
            "trainer.sampling=balanced and loss.class_weight=balanced each make the",
        ),
        (["trainer.label_smoothing=0.99"], "trainer.label_smoothing=0.99 makes all"),
        (
            ["schedule=cosine_restarts", "trainer.epochs=40"],
            "trainer.epochs=40 ends inside a cosine of schedule=cosine_restarts, at a "
            "rate that has not fallen. Usual: trainer.epochs=70 or 30, by which",
        ),
        (["model.dropout=0.99"], "model.dropout=0.99 drops nearly all features."),
        (
            [CROP, "augment.inception_crop.area=[0.001,0.002]"],
            "augment.inception_crop.area=[0.001, 0.002] cuts out",
        ),
        (
            ["callbacks.early_stopping.min_delta=5"],
            "callbacks.early_stopping.min_delta=5 is more than val_accuracy can gain",
        ),
        (
            ["schedule=step"],
            "schedule.every_epochs=30 is not reached in trainer.epochs=5: the rate "
            "never drops.",
        ),
        (
            ["schedule=step_plain56", "trainer.epochs=91"],
            "schedule.milestones=91.2 is not reached in trainer.epochs=91",
        ),
        (
            ["experiment=cifar10_resnet110", "callbacks=[default,tensorboard]"],
            "callbacks.early_stopping.patience=20 may end training before the rate "
            "drops, after 91.2 epochs. Leave it out by callbacks=full_length,",
        ),
    ],
)
def test_a_value_with_which_nothing_is_learnt_is_asked(
    doubts: Any, overrides: list[str], sentence: str
) -> None:
    (found,) = doubts(*overrides)
    assert found.startswith(sentence)


@pytest.mark.parametrize(
    "overrides",
    [
        [],
        *(
            [f"optimizer={path.stem}"]
            for path in sorted((CONF / "optimizer").glob("*.yaml"))
            if path.stem not in ("ftrl", "muon", "schedule_free_adamw")
        ),
        ["optimizer=schedule_free_adamw", "schedule=constant"],
        ["optimizer=ftrl", "schedule=constant"],
        [CROP],
        *([f"experiment={name}"] for name in ("cifar10_resnet110", "cifar10_plain56")),
        ["experiment=cifar10_resnet110", "debug=one_step"],
        ["experiment=cifar10_resnet110", "debug=overfit"],
        ["schedule=step", "trainer.epochs=31", "callbacks.early_stopping.patience=30"],
        ["schedule=cosine_restarts", "trainer.epochs=70"],
        ["optimizer.lr=1e-7"],
        ["optimizer.lr=3"],
        ["optimizer.clip_norm=1e-20"],  # Adam divides by the size of the gradients
        ["optimizer.epsilon=1"],
        ["model.dropout=0.5"],
        ["trainer.label_smoothing=0.3"],
        [
            "callbacks.early_stopping.monitor=val_loss",
            "callbacks.early_stopping.mode=min",
            "callbacks.early_stopping.min_delta=5",
        ],
    ],
    ids=" ".join,
)
def test_a_value_that_is_in_use_is_not_asked(doubts: Any, overrides: list[str]) -> None:
    assert doubts(*overrides) == []
