"""What several labels of an image do not go with is told before anything is read."""

import re
from typing import Any

import pytest

from experiments.errors import ConfigError

SEVERAL = (
    "dataset=table",
    "dataset.table=/images/labels.csv",
    "dataset.label_delimiter=semicolon",
    "loss=binary_cross_entropy",
    "trainer.monitor=val_map",
)


@pytest.mark.parametrize(
    "words",
    [
        ["loss=binary_focal"],
        ["trainer.monitor=val_macro_f1"],
        ["trainer.monitor=val_loss"],
        ["dataset.split=stratified"],
        ["augment=mixup_cutmix"],
        ["task=inspect"],
    ],
)
def test_what_has_a_meaning_is_accepted(check: Any, words: list[str]) -> None:
    run = check(*SEVERAL, *words).run

    assert run.dataset.has_several_labels
    assert run.trainer.monitor_mode == (
        "min" if run.trainer.monitor == "val_loss" else "max"
    )


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["loss=cross_entropy"], "loss must ask about each class by itself"),
        (["loss=focal"], "Received: FocalLoss"),
        (["loss.class_weight=balanced"], "loss.class_weight is not defined"),
        (["trainer.sampling=balanced"], "trainer.sampling must be uniform"),
        (["trainer.monitor=val_accuracy"], "trainer.monitor must be one of val_loss"),
        (["dataset.corrections=/c.csv"], "dataset.corrections is not supported"),
        (["dataset.fraction=0.5"], "dataset.fraction is not supported"),
        (["dataset.folds=3", "dataset.fold=1"], "dataset.folds is not supported"),
        (
            ["task=audit", "dataset.folds=3", "dataset.fold=1"],
            "audit is not supported where",
        ),
        (
            ["dataset.label_columns=[a,b]"],
            "dataset.label_delimiter is not used with dataset.label_columns",
        ),
        (
            ["loss.target_threshold=0.01", "trainer.label_smoothing=0.1"],
            "loss.target_threshold must not be below 0.05",
        ),
    ],
)
def test_what_has_none_is_refused(check: Any, words: list[str], told: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(told)):
        check(*SEVERAL, *words)


def test_a_mean_average_precision_needs_several_labels(check: Any) -> None:
    with pytest.raises(ConfigError, match=r"trainer\.monitor must be one of val_loss"):
        check("dataset=digits", "trainer.monitor=val_map")


def test_a_delimiter_is_the_same_by_its_name_and_as_it_is(check: Any) -> None:
    typed = [
        check(*SEVERAL[:2], f"dataset.label_delimiter={d}", *SEVERAL[3:]).run
        for d in ("semicolon", '";"')
    ]

    assert typed[0].dataset == typed[1].dataset
