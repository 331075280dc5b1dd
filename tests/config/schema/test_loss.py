import inspect
from typing import Any

import pytest

from experiments.config.schema.loss import LOSSES, name_differences
from experiments.errors import ConfigError

OPTIONS = ["cross_entropy", "binary_cross_entropy", "binary_focal", "focal", "poly"]


@pytest.mark.parametrize("option", OPTIONS)
def test_each_option_has_a_schema_and_builds_its_loss(
    option: str, compose: Any
) -> None:
    from experiments.training import image_losses

    config = compose(f"loss={option}").loss
    kind = getattr(image_losses, config._target_.rpartition(".")[2])

    loss = kind(**config.arguments(), from_logits=True)

    assert type(config) is LOSSES[config._target_]
    assert loss.name == option


def test_every_schema_belongs_to_a_loss() -> None:
    from experiments.training import image_losses

    public = inspect.getmembers(image_losses, inspect.isclass)
    own = {name for name, c in public if c.__module__ == image_losses.__name__}
    assert {target.rpartition(".")[2] for target in LOSSES} == own


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["loss=focal", "loss.gamma=-1"], "loss.gamma must be a number >= 0"),
        (["loss=focal", "loss.alpha=0"], "loss.alpha must be a number > 0"),
        (["+loss.gamma=2"], "loss.gamma is not a key of this configuration"),
        (
            ["loss=binary_cross_entropy", "loss.over_classes=none"],
            "loss.over_classes must be one of mean, sum",
        ),
        (
            ["loss=binary_cross_entropy", "loss.target_threshold=1"],
            "loss.target_threshold must be a number >= 0 and < 1",
        ),
    ],
)
def test_bad_values_are_refused(
    overrides: list[str], message: str, compose: Any
) -> None:
    with pytest.raises(ConfigError, match=message):
        compose(*overrides)


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ([], []),
        (["loss=focal"], ["FocalLoss"]),
        (["loss.class_weight=balanced"], ["class weights"]),
    ],
)
def test_what_makes_the_training_loss_another_one_is_named(
    overrides: list[str], words: list[str], compose: Any
) -> None:
    loss = compose(*overrides).loss
    assert name_differences(loss._target_, loss.class_weight) == words
