import io

import numpy as np
import pytest
from matplotlib import image as matplotlib_image

from experiments.pictures.image_grid import draw_grid


def images_of(count, shape=(8, 8, 3)):
    random = np.random.RandomState(0)
    return random.randint(0, 256, (count, *shape)).astype(np.uint8)


def texts(figure):
    (sheet,) = figure.axes
    return [text.get_text() for text in sheet.texts]


@pytest.mark.parametrize(("count", "rows"), [(1, 1), (8, 1), (9, 2), (16, 2)])
def test_images_are_laid_out_in_rows(count, rows):
    figure = draw_grid(images_of(count), np.zeros(count, np.int32), ["cat"])

    (sheet,) = figure.axes
    boxes = [image.get_extent() for image in sheet.images]
    assert len({tuple(box) for box in boxes}) == count
    assert len({bottom for _, _, bottom, _ in boxes}) == rows
    width, height = figure.get_size_inches()
    assert all(0 < left < right < width for left, right, _, _ in boxes)
    assert all(0 < bottom < top < height for _, _, bottom, top in boxes)


def test_every_image_has_the_name_of_its_class():
    figure = draw_grid(images_of(3), np.array([1, 0, 1]), ["cat", "dog"])

    assert texts(figure) == ["dog", "cat", "dog"]


def test_a_long_name_is_shortened():
    figure = draw_grid(images_of(1), np.array([0]), ["a very long name of a class"])

    assert texts(figure) == ["a very long … class"]


def test_the_pixels_are_shown_as_they_are():
    image = np.zeros((1, 8, 8, 1), np.uint8)
    image[0, :4] = 200

    figure = draw_grid(image, np.array([0]), ["half"])
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    buffer.seek(0)
    picture = matplotlib_image.imread(buffer)

    assert (picture[..., :3] == np.float32(200 / 255)).all(axis=-1).mean() > 0.28


def test_no_window_and_no_global_state_is_made():
    import matplotlib.pyplot

    draw_grid(images_of(2), np.zeros(2, np.int32), ["cat"], title="two cats")

    assert matplotlib.pyplot.get_fignums() == []
