"""Labels are one class an image, or 0 and 1 for each class."""

import numpy as np
import pytest

from experiments.data.dealing import bind, deal
from experiments.data.label_arrays import (
    as_labels,
    count_images,
    list_labels,
    renumber,
    stack_labels,
)
from experiments.errors import DataError

SEVERAL = [(0, 2), (), (1,), (0, 1, 2)]
TABLE = [[1, 0, 1], [0, 0, 0], [0, 1, 0], [1, 1, 1]]


def test_several_classes_become_a_row_of_zeros_and_ones() -> None:
    labels = stack_labels(SEVERAL, 3)

    assert labels.dtype == np.uint8
    assert labels.tolist() == TABLE
    assert list_labels(labels) == SEVERAL


def test_one_class_an_image_stays_an_integer() -> None:
    labels = stack_labels([2, 0], 3)

    assert labels.dtype == np.int32
    assert list_labels(labels) == [2, 0]
    assert as_labels(np.array([[2], [0]]), 2).tolist() == [2, 0]


def test_images_are_counted_for_each_class_that_they_have() -> None:
    assert count_images(stack_labels(SEVERAL, 4), 4) == [2, 2, 2, 0]
    assert count_images(stack_labels([2, 0, 2], 4), 4) == [1, 0, 2, 0]


def test_classes_in_another_order_keep_their_images() -> None:
    numbers = np.array([2, 0, 1], np.int32)

    assert list_labels(renumber(stack_labels(SEVERAL, 3), numbers)) == [
        (1, 2),
        (),
        (0,),
        (0, 1, 2),
    ]
    assert renumber(stack_labels([0, 1], 3), numbers).tolist() == [2, 0]


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (np.array([[0, 2], [1, 0]], np.uint8), "must be 0 or 1"),
        (np.array([[0, 1]], np.uint8), "one row of labels an image"),
        (np.array([[0.0, 1.0], [1.0, 0.0]]), "one integer label an image"),
        (np.array([0.5, 1.0]), "one integer label an image"),
    ],
)
def test_labels_of_another_form_are_refused(labels: np.ndarray, words: str) -> None:
    with pytest.raises(DataError, match=words):
        as_labels(labels, 2)


def test_each_class_of_several_has_its_share_of_every_part() -> None:
    random = np.random.RandomState(0)
    table = random.rand(400, 4) < [0.5, 0.2, 0.05, 0.02]
    labels = [tuple(np.flatnonzero(row).tolist()) for row in table]
    bundles = bind([f"{i}.png" for i in range(400)], labels, [], seed=0)

    parts = np.array(deal(bundles, [0.8, 0.2]))

    assert [b.members for b in bundles] == [(i,) for i in range(400)]
    assert abs(int((parts == 1).sum()) - 80) <= 4
    for column in table.T:
        assert abs(int((parts[column] == 1).sum()) - 0.2 * column.sum()) <= 1.5
