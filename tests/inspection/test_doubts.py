"""What of the data is probably a mistake; each doubt alone, and none without it."""

from typing import Any

import numpy as np
import pytest

from experiments.data.dataset import Dataset, build_dataset
from experiments.data.files.scanning.copies import IN_SPLITS
from experiments.data.split import ArraySplit, SkippedFile
from experiments.inspection.balance import count_classes
from experiments.inspection.doubts import find_data_doubts
from experiments.inspection.sizes import Sizes


def make_dataset(train: Any, validation: Any, **more: Any) -> Dataset:
    """Returns a data set of two classes with such labels."""

    def make(labels: Any) -> ArraySplit:
        return ArraySplit(np.zeros((len(labels), 2, 2, 1), np.uint8), labels)

    return build_dataset(
        name="made",
        class_names=["a", "b"],
        image_shape=(2, 2, 1),
        mean=[0.5],
        std=[0.5],
        train=make(train),
        validation=make(validation),
        **more,
    )


def tell(
    *, train: list[int], validation: int = 100, steps: int | None = 100, **more: Any
) -> list[str]:
    """Returns the doubts of a data set with so many training images a class."""
    sizes = more.pop("sizes", None)
    labels = np.repeat([0, 1], train), np.arange(validation) % 2
    dataset = make_dataset(*labels, **more)
    return [
        *find_data_doubts(
            dataset, count_classes(dataset), sizes, steps_from_nothing=steps
        )
    ]


def test_few_steps_suffice_for_a_network_that_knows_something() -> None:
    assert tell(train=[9, 1], steps=None) == []


def test_usual_data_raise_no_doubt() -> None:
    sizes = Sizes(sizes=((2, 2), (1, 9)), total=2, delivered=(2, 2), crop_ratio=1.0)
    assert tell(train=[9, 1], sizes=sizes) == []


@pytest.mark.parametrize(
    ("made", "told"),
    [
        ({"train": [10, 1]}, "a has 10 training images and b 1: accuracy hardly"),
        (
            {"validation": 50},
            "50 images decide which epoch is the best: one image is 2.0",
        ),
        ({"steps": 99}, "The whole training has 99 steps"),
        ({"skipped_files": [SkippedFile("x", "is empty")]}, "1 file is skipped"),
        ({"findings": {IN_SPLITS: [["x", "y"]]}}, "makes scores too good: 1, see"),
    ],
    ids=["uneven", "few", "short", "skipped", "copies"],
)
def test_doubt_is_told(made: dict[str, Any], told: str) -> None:
    (doubt,) = tell(**{"train": [5, 5], **made})
    assert told in doubt


def test_images_that_are_mostly_enlarged_are_told() -> None:
    small = ((1, 9), (9, 1), (2, 2))
    sizes = Sizes(sizes=small, total=3, delivered=(2, 2), crop_ratio=1.0)
    (doubt,) = tell(train=[5, 5], sizes=sizes)
    assert doubt.startswith("67 % of the images are enlarged to 2 x 2")


def tell_several(train: list[list[int]], validation: list[list[int]]) -> list[str]:
    """Returns the doubts where images have several labels, in a hundred of each row."""
    splits = (np.array(rows, np.uint8) for rows in (train, validation))
    dataset = make_dataset(*(np.repeat(rows, 100, axis=0) for rows in splits))
    balance = count_classes(dataset)
    return [*find_data_doubts(dataset, balance, None, steps_from_nothing=100)]


def test_usual_data_of_several_labels_raise_no_doubt() -> None:
    assert tell_several([[1, 1], [0, 1], [0, 0]], [[1, 0], [0, 1]]) == []


def test_of_several_labels_nothing_is_advised_that_is_refused_for_them() -> None:
    (doubt,) = tell_several([[1, 0]] * 10 + [[1, 1]], [[1, 1]])
    assert doubt.startswith("a has 1,100 training images and b 100: look at each")
    assert "class_weight" not in doubt
    assert "sampling" not in doubt


def test_class_that_no_held_out_image_shows_is_told() -> None:
    (doubt,) = tell_several([[1, 1]], [[1, 0], [0, 0]])
    assert doubt.startswith("No validation image shows b: a mean over the classes")
