from typing import Any

import pytest

from experiments.errors import ConfigError


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            ["model=resnet50_notebook", "dataset=synthetic_small"],
            "loss binary_cross_entropy takes the sigmoid of each class's logit",
        ),
        (
            ["loss.target_threshold=0.005"],
            "loss.target_threshold must not be below 0.01",
        ),
    ],
)
def test_a_loss_that_does_not_fit_is_told(
    check: Any, overrides: list[str], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        check("loss=binary_cross_entropy", *overrides)


def test_what_is_proposed_is_accepted(check: Any) -> None:
    check("loss=binary_cross_entropy", "loss.target_threshold=0.2")
    check(
        "loss=binary_cross_entropy",
        "loss.target_threshold=0.005",
        "trainer.label_smoothing=0",
    )
    check("model=resnet50_notebook", "dataset=synthetic_small", "loss=focal")


def test_weights_of_classes_and_of_images_are_not_used_together(check: Any) -> None:
    table = ("dataset=table", "dataset.table=/images/labels.csv")
    weights = "dataset.weight_column=weight"
    assert check(*table, weights).run.dataset.has_weights
    with pytest.raises(ConfigError, match=r"loss\.class_weight is not used with"):
        check(*table, weights, "loss.class_weight=balanced")
