"""Thumbnails: small files of images, which a viewer reads back."""

import io

import numpy as np
import pytest
from PIL import Image

from experiments.pictures.thumbnail import draw_thumbnail, is_tiny


def _read(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


@pytest.mark.parametrize("channels", [1, 3])
def test_tiny_image_is_kept_pixel_by_pixel(channels: int) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (8, 9, channels), np.uint8)

    found = _read(draw_thumbnail(pixels))

    assert found.format == "PNG"
    np.testing.assert_array_equal(
        np.asarray(found).reshape(pixels.shape), pixels, strict=True
    )


def test_large_image_is_shrunk_in_its_proportions() -> None:
    found = _read(draw_thumbnail(np.zeros((400, 200, 3), np.uint8), largest=100))

    assert (found.format, found.size) == ("JPEG", (50, 100))


def test_image_that_is_small_enough_keeps_its_size() -> None:
    assert _read(draw_thumbnail(np.zeros((90, 70, 1), np.uint8))).size == (70, 90)


def test_blocks_are_for_images_of_few_pixels_whatever_their_number() -> None:
    assert is_tiny(np.zeros((500, 32, 32, 3), np.uint8))
    assert not is_tiny(np.zeros((2, 32, 64, 3), np.uint8))
