"""Each operation gives the pixels that Pillow gives, value for value."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image, ImageEnhance, ImageOps

from experiments.data.augment import filters
from experiments.data.augment.operations import (
    ALL_OPERATIONS,
    OPERATIONS,
    SIGNED,
    apply_operations,
)
from experiments.errors import DataError

AFFINE, NEAREST = Image.Transform.AFFINE, Image.Resampling.NEAREST
# What an operation is in Pillow, as torchvision calls it there.
PILLOW: dict[str, Callable[[Image.Image, float], Image.Image]] = {
    "identity": lambda image, _: image,
    "shear_x": lambda i, m: i.transform(i.size, AFFINE, (1, m, 0, 0, 1, 0), NEAREST),
    "shear_y": lambda i, m: i.transform(i.size, AFFINE, (1, 0, 0, m, 1, 0), NEAREST),
    "translate_x": lambda i, m: i.transform(
        i.size, AFFINE, (1, 0, -int(m), 0, 1, 0), NEAREST
    ),
    "translate_y": lambda i, m: i.transform(
        i.size, AFFINE, (1, 0, 0, 0, 1, -int(m)), NEAREST
    ),
    "rotate": lambda image, m: image.rotate(m, NEAREST),
    "brightness": lambda image, m: ImageEnhance.Brightness(image).enhance(1 + m),
    "color": lambda image, m: ImageEnhance.Color(image).enhance(1 + m),
    "contrast": lambda image, m: ImageEnhance.Contrast(image).enhance(1 + m),
    "sharpness": lambda image, m: ImageEnhance.Sharpness(image).enhance(1 + m),
    # Pillow refuses no bits, which timm's greatest magnitude means.
    "posterize": lambda i, m: (
        ImageOps.posterize(i, int(m)) if m else ImageEnhance.Brightness(i).enhance(0)
    ),
    "solarize": lambda image, m: ImageOps.solarize(image, m),
    "autocontrast": lambda image, _: ImageOps.autocontrast(image),
    "equalize": lambda image, _: ImageOps.equalize(image),
    "invert": lambda image, _: ImageOps.invert(image),
    "solarize_add": lambda image, m: image.point(
        [min(255, i + int(m)) if i < 128 else i for i in range(256)]
        * len(image.getbands())
    ),
}
_FACTORS = [0.27, -0.9, 0.99, 0.0]
MAGNITUDES = {
    "shear_x": [0.09, -0.3, 0.99],
    "shear_y": [0.09, -0.3, 0.99],
    "translate_x": [4.9, -3.2, 40.0],
    "translate_y": [4.9, -3.2, 40.0],
    "rotate": [9.0, -30.0, 90.0, 135.0],
    "brightness": _FACTORS,
    "color": _FACTORS,
    "contrast": _FACTORS,
    "sharpness": _FACTORS,
    "posterize": [8.0, 5.0, 2.0, 0.0],
    "solarize": [256.0, 255.0, 178.5, 0.0],
    "solarize_add": [0.0, 77.0, 110.0],
}
CASES = [(n, m) for n in ALL_OPERATIONS for m in MAGNITUDES.get(n, [0.0])]


def make_image(channels: int) -> Any:
    """Smooth, noisy, and not over the whole range; 20 x 28."""
    y, x = np.mgrid[:20, :28]
    random = np.random.default_rng(3)
    noise = random.integers(0, 25, (3, *x.shape))
    planes = [60 + 4 * x + (c + 1) * y + noise[c] for c in range(3)]
    return np.stack(planes[:channels], axis=-1).clip(0, 250).astype(np.uint8)


def ask_pillow(name: str, image: Any, magnitude: float) -> Any:
    plain = Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)
    return np.asarray(PILLOW[name](plain, magnitude)).reshape(image.shape)


@pytest.mark.parametrize("channels", [3, 1])
def test_pixels_are_those_of_pillow(channels: int) -> None:
    image = make_image(channels)
    images = tf.constant(np.stack([image] * len(CASES)))
    chosen = tf.constant([ALL_OPERATIONS.index(name) for name, _ in CASES])
    strengths = tf.constant([m for _, m in CASES], tf.float64)
    found = apply_operations(images, chosen, strengths, fill=0).numpy()
    wrong = [
        (name, magnitude, int(np.abs(pixels.astype(int) - expected).max()))
        for (name, magnitude), pixels in zip(CASES, found, strict=True)
        if (pixels != (expected := ask_pillow(name, image, magnitude))).any()
    ]
    assert not wrong


@pytest.mark.parametrize("name", ["autocontrast", "equalize", "contrast"])
def test_flat_image_is_that_of_pillow(name: str) -> None:
    image = np.full((4, 4, 3), 77, np.uint8)
    image[..., 1] = np.arange(16).reshape(4, 4) * 16
    place, magnitude = OPERATIONS.index(name), 0.5
    found = apply_operations(
        tf.constant(image[None]),
        tf.constant([place]),
        tf.constant([magnitude], tf.float64),
        fill=0,
    )
    assert np.array_equal(found[0], ask_pillow(name, image, magnitude))


def test_empty_batch_stays_empty() -> None:
    images = tf.zeros((0, 8, 8, 3), tf.uint8)
    empty = tf.zeros(0, tf.int32), tf.zeros(0, tf.float64)
    assert apply_operations(images, *empty, fill=0).shape == (0, 8, 8, 3)


def test_what_lies_outside_is_filled() -> None:
    images = tf.zeros((1, 8, 8, 1), tf.uint8)
    right = tf.constant([OPERATIONS.index("translate_x")])
    moved = apply_operations(images, right, tf.constant([2.0], tf.float64), fill=9)
    assert moved[0, 0, :, 0].numpy().tolist() == [9, 9, 0, 0, 0, 0, 0, 0]


def test_signed_operations_are_those_of_torchvision() -> None:
    signed = [name for name, s in zip(OPERATIONS, SIGNED, strict=True) if s]
    assert signed == list(OPERATIONS[1:10])


def test_grey_of_two_channels_is_refused() -> None:
    with pytest.raises(DataError, match=r"1 or 3 channels\. Received: 2 channels"):
        filters.saturate(tf.zeros((1, 4, 4, 2), tf.uint8), tf.ones(1))
