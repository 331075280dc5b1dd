"""Labelled images beside the classes of a model of several labels."""

import numpy as np
import pytest

from experiments.data.labelled import Labelled
from experiments.data.split import ArraySplit
from experiments.errors import DataError
from experiments.trained.several_labels import match_several


def images(names: tuple[str, ...], labels: object) -> Labelled:
    table = np.array(labels, np.uint8 if np.ndim(labels) == 2 else np.int32)
    pixels = np.zeros((len(table), 2, 2, 3), np.uint8)
    return Labelled(
        name="d", split=None, class_names=names, images=ArraySplit(pixels, table)
    )


def test_classes_are_matched_by_their_names() -> None:
    given = images(("line", "star", "circle"), [[1, 0, 0], [0, 1, 1]])

    truth, notes = match_several(given, ("circle", "line", "square"))

    assert truth.tolist() == [[0, 1, 0], [1, 0, 0]]
    assert notes == ["In no score, for the model does not know it: star."]


def test_images_of_one_label_or_of_other_classes_are_refused() -> None:
    with pytest.raises(DataError, match=r"Type dataset\.label_delimiter"):
        match_several(images(("a", "b"), [0, 1]), ("a", "b"))
    with pytest.raises(DataError, match="knows none of the classes"):
        match_several(images(("a", "b"), [[0, 1]]), ("c", "d"))
