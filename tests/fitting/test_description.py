from types import SimpleNamespace
from typing import Any

import pytest

from experiments.fitting.description import (
    describe_failure,
    describe_plan,
    describe_result,
)

DATASET: Any = SimpleNamespace(
    name="my_flowers",
    image_shape=(8, 9, 3),
    num_classes=5,
    splits={"train": range(1200), "validation": range(30)},
)


@pytest.fixture
def job() -> Any:
    trainer = SimpleNamespace(epochs=3, batch_size=16, monitor="val_accuracy")
    task = SimpleNamespace(arguments=lambda: {"picture_grid": True})
    run = SimpleNamespace(trainer=trainer, task=task, seed=7)
    return SimpleNamespace(name="resnet20_cifar on my_flowers", run=run)


METRICS = {
    "best_epoch": 2.0,
    "best_train_accuracy": 0.75,
    "best_train_loss": 1.5,
    "best_val_accuracy": 0.8125,
    "test_accuracy": 0.78,
}


def test_result_is_a_sentence_a_table_two_pictures_and_the_data(job: Any) -> None:
    told = describe_result(job, DATASET, METRICS, epochs=3, end="complete")
    sentence, table, curves, images, data = told.split("\n\n")
    assert sentence == (
        r"**resnet20\_cifar on my\_flowers** reached its best `val_accuracy`, "
        "**0.8125**, in epoch 2 of 3."
    )
    assert table.replace("&emsp;", "").split("\n") == [
        "|  | training | validation | held-out test |",
        "| :-- | --: | --: | --: |",
        "| accuracy | 0.7500 | 0.8125 | 0.7800 |",
        "| loss | 1.5000 |  |  |",
    ]
    assert "artifact:learning_curves.png" in curves
    assert "artifact:data/training_images.png" in images
    assert data == (
        r"Data: **my\_flowers**, 1,200 train, 30 validation images of 8 x 9 x 3 in 5 "
        "classes."
    )


@pytest.mark.parametrize(
    ("end", "words"),
    [
        ("complete", "in epoch 2 of 2 and stopped early; 3 were planned."),
        ("pruned", "in epoch 2 of 2, where it was pruned; 3 were planned."),
        ("paused", "in epoch 2 of 2, where it was paused; 3 are planned."),
    ],
)
def test_training_that_ended_before_its_time_says_how(
    job: Any, end: Any, words: str
) -> None:
    told = describe_result(job, DATASET, METRICS, epochs=2, end=end)
    assert told.split("\n\n")[0].endswith(words)


def test_plan_shows_what_there_is_before_the_first_epoch(job: Any) -> None:
    told = describe_plan(job, DATASET)
    assert "up to 3 epochs, 16 images a step, seed 7" in told
    assert "training_images.png" in told
    assert "learning_curves" not in told


def test_picture_that_is_not_drawn_is_not_shown(job: Any) -> None:
    job.run.task.arguments = lambda: {"picture_grid": False}
    told = describe_result(job, DATASET, METRICS, epochs=3, end="complete")
    assert "training_images" not in told
    assert "learning_curves" in told


def test_failure_is_told_in_one_line_as_it_is(job: Any) -> None:
    told = describe_failure(job, "The loss became nan in epoch 2.\nLower *it*.")
    assert told == (
        r"**resnet20\_cifar on my\_flowers** failed: The loss became nan in epoch 2. "
        r"Lower \*it\*. The same command tries it again, from its last checkpoint if "
        "it left one."
    )
