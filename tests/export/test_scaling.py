"""Images of any size inside of a model are those that a training reads from files."""

import io

import numpy as np
import pytest
from PIL import Image

from experiments.data.images.decode import decode_image
from experiments.export.scaling import CentreAndScale

SIZE = (24, 32)


@pytest.mark.parametrize("ratio", [1.0, 0.875])
@pytest.mark.parametrize(
    "given",
    [(24, 32), (23, 31), (30, 30), (40, 41), (47, 63), (48, 64), (200, 90), (7, 5)],
)
def test_pixels_are_those_of_the_pipeline_to_one_grey_level(given, ratio):
    pixels = np.random.default_rng(7).integers(0, 256, (*given, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format="png")
    wanted = np.asarray(
        decode_image(file.getvalue(), image_shape=(*SIZE, 3), crop_ratio=ratio)
    )
    scaled = np.asarray(CentreAndScale(SIZE, ratio)(pixels[None]))[0]
    assert scaled.shape == wanted.shape
    differences = np.abs(scaled - wanted)
    assert differences.max() <= 1
    assert (differences > 0).mean() < 0.01  # halves, which either may round up
