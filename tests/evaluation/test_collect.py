from typing import Any

import numpy as np
import pytest

from experiments.data.dataset import build_dataset
from experiments.data.split import ArraySplit
from experiments.errors import DataError
from experiments.evaluation.collect import collect_predictions


class Network:
    """Says that an image is of the class that its first pixel tells."""

    def __init__(self, wrong: float = 0.0) -> None:
        self.wrong = wrong

    def predict(self, batches: Any, callbacks: list[Any], verbose: int) -> Any:
        pixels = np.concatenate([images[:, 0, 0, 0] for images, _ in batches])
        return np.eye(2, dtype=np.float32)[pixels] + self.wrong


def make_dataset() -> Any:
    images = np.tile(np.array([0, 1, 1], np.uint8)[:, None, None, None], (1, 2, 2, 1))
    split = ArraySplit(images, np.array([0, 1, 0], np.int32))
    return build_dataset(
        name="pixels",
        class_names=("dark", "light"),
        image_shape=(2, 2, 1),
        train=split,
        validation=split,
        mean=[0.0],
        std=[1.0],
    )


def batches(dataset: Any) -> Any:
    images, labels = dataset.validation.images, dataset.validation.labels
    return [(images[:2], labels[:2]), (images[2:], labels[2:])]


def test_predictions_are_in_the_order_of_the_split() -> None:
    dataset = make_dataset()
    found = collect_predictions(
        Network(),
        dataset,
        "validation",
        batches(dataset),
        kind="logits",
        facts={"a": 1},
    )
    assert found.predicted.tolist() == [0, 1, 1]
    assert found.truth.tolist() == [0, 1, 0]
    assert list(found.split) == ["validation"] * 3
    assert found.class_names == ("dark", "light")
    assert found.digests[1] == found.digests[2] != found.digests[0]
    content, split = dataset.fingerprint.content, dataset.fingerprint.split
    assert found.facts == {
        "dataset": "pixels",
        "data_content": content,
        "data_split": split,
        "a": 1,
    }


def test_network_that_gives_no_numbers_is_told() -> None:
    dataset = make_dataset()
    with pytest.raises(DataError, match="no finite numbers for 3 of 3 images"):
        collect_predictions(
            Network(np.nan), dataset, "validation", batches(dataset), kind="logits"
        )
