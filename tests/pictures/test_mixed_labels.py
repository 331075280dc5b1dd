"""A mixture is named by its shares, the largest first."""

import numpy as np
import pytest

from experiments.pictures.image_grid import draw_grid
from experiments.pictures.mixed_labels import list_shares, name_label

NAMES = ["cat", "dog", "owl"]


@pytest.mark.parametrize(
    ("label", "name"),
    [
        (np.int32(1), "dog"),
        (np.float32([0, 1, 0]), "dog"),
        (np.float32([0.3, 0.7, 0]), "0.7 dog + 0.3 cat"),
        (np.float32([0.251, 0.001, 0.748]), "0.75 owl + 0.25 cat"),
        (np.float32([0.999, 0.001, 0]), "cat"),
    ],
)
def test_label_is_named(label: object, name: str) -> None:
    assert name_label(label, NAMES) == name


def test_shares_are_those_of_the_label() -> None:
    assert list_shares(np.float32([0.25, 0, 0.75])) == [(2, 0.75), (0, 0.25)]


def test_grid_of_mixtures_has_a_line_for_each_class() -> None:
    images = np.zeros((2, 8, 8, 3), np.uint8)
    figure = draw_grid(images, np.float32([[0.4, 0.6, 0], [0, 0, 1]]), NAMES)
    (sheet,) = figure.axes
    assert [t.get_text() for t in sheet.texts] == ["0.6 dog +\n0.4 cat", "owl"]
    plain = draw_grid(images, np.array([0, 1]), NAMES)
    assert figure.get_figheight() > plain.get_figheight()
