"""Numbers that nobody can mean are refused by the check, in one sentence each."""

from typing import Any

import pytest

from experiments.errors import ConfigError


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            ["dataset.decode_threads=100000000"],
            "dataset.decode_threads must be an integer >= 1 and <= 1024 or null.",
        ),
        (
            ["augment=flip_crop", "augment.flip_crop.pad=1e13"],
            "augment.flip_crop.pad must be at most 4096. Received: 10000000000000.0.",
        ),
        (
            ["augment=flip_crop", "augment.flip_crop.pad=10"],
            "augment.flip_crop.pad must be below the 10 pixels of the images, or they",
        ),
        (
            [
                "schedule=step",
                "schedule.every_epochs=1e-300",
            ],
            "schedule.every_epochs must be at least 1e-06. Received: 1e-300.",
        ),
        (
            [
                "schedule=step",
                "schedule.every_epochs=0.01",
                "trainer.epochs=100",
            ],
            "schedule.every_epochs makes 10,000 milestones of trainer.epochs=100",
        ),
        (["model.width=1000000000000"], "model.width must be at most 1,000,000."),
        (["optimizer.lr=1e-320"], "optimizer.lr must be at least 1e-30."),
        (["optimizer.lr=1e30"], "optimizer.lr must be at most 1e+06."),
        (
            ["model=resnet", "model.blocks=[1000000]", "model.block=basic"],
            "model.blocks[0] must be at most 5000. Received: 1000000.",
        ),
        (
            ["model=resnet", "model.blocks=[3000,3000]", "model.block=basic"],
            "model.blocks must be 5,000 blocks in all at most. Received: 6,000",
        ),
        (["trainer.epochs=1000000000000"], "trainer.epochs must be at most 1,000,000."),
        (
            ["dataset=synthetic", "dataset.image_size=1000000"],
            "dataset.image_size",
        ),
        (
            ["trainer.batch_size=1000000000"],
            "trainer.batch_size must be at most 10,000,000.",
        ),
    ],
)
def test_a_number_that_nobody_can_mean_is_refused(
    check: Any, overrides: list[str], message: str
) -> None:
    with pytest.raises(ConfigError) as error:
        check(*overrides)
    assert str(error.value.problems[0]).startswith(message)


@pytest.mark.parametrize(
    "overrides",
    [
        ["augment=flip_crop", "augment.flip_crop.pad=9"],
        [
            "schedule=step",
            "schedule.every_epochs=0.1",
            "trainer.epochs=100",
        ],
        ["optimizer.lr=1e-12"],
        ["optimizer.weight_decay=0"],
        ["trainer.max_steps=1000000000"],
        ["model=resnet1202_cifar"],
    ],
)
def test_a_number_that_somebody_may_mean_is_taken(
    check: Any, overrides: list[str]
) -> None:
    check(*overrides)
