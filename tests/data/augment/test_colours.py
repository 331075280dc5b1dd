"""Jitter, grey, blur and turns, against their definitions and Pillow."""

import colorsys

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image, ImageFilter, ImageOps

from experiments.data.augment.affine import Affine
from experiments.data.augment.color_jitter import ColorJitter, turn_hue
from experiments.data.augment.three_augment import ThreeAugment, blur
from experiments.data.pipeline.sample_keys import derive_key, key_from_seed

KEYS = derive_key(key_from_seed(5), tf.range(60))
RANDOM = np.random.default_rng(0)
IMAGE = RANDOM.integers(0, 256, (10, 12, 3), np.uint8)
IMAGES = tf.constant(np.stack([IMAGE] * 60))
NONE = {"brightness": 0, "contrast": 0, "saturation": 0, "hue": 0, "probability": 1}
STILL = {"degrees": 0, "translate": 0, "scale": [1, 1], "shear": 0, "fill": 0}
STILL["interpolation"] = "nearest"


def test_hue_is_turned_as_colorsys_turns_it():
    found = turn_hue(IMAGES[:1], tf.constant([0.3]))[0].numpy().reshape(-1, 3)
    for colour, turned in zip(IMAGE.reshape(-1, 3), found, strict=True):
        h, s, v = colorsys.rgb_to_hsv(*(colour / 255))
        expected = np.array(colorsys.hsv_to_rgb((h + 0.3) % 1, s, v)) * 255
        assert abs(turned - expected).max() < 1


@pytest.mark.parametrize("key", ["brightness", "contrast", "saturation", "hue"])
def test_each_factor_changes_colours_and_none_leaves_them(key):
    changed = ColorJitter(**{**NONE, key: 0.4})(IMAGES, KEYS)
    assert tf.reduce_any(changed != IMAGES)
    assert tf.reduce_all(ColorJitter(**NONE)(IMAGES, KEYS) == IMAGES)
    never = ColorJitter(**{**NONE, key: 0.4, "probability": 0})
    assert tf.reduce_all(never(IMAGES, KEYS) == IMAGES)


def test_one_channel_has_no_saturation_and_no_hue():
    grey = IMAGES[..., :1]
    jitter = ColorJitter(**{**NONE, "saturation": 0.4, "hue": 0.4})
    assert tf.reduce_all(jitter(grey, KEYS) == grey)


def test_blur_is_the_gaussian_of_its_width():
    point = np.zeros((1, 15, 15, 1), np.uint8)
    point[0, 7, 7] = 255
    found = blur(tf.constant(point), tf.constant([1.0]))[0, :, :, 0].numpy()
    distance = np.arange(-3, 4)
    line = np.exp(-(distance**2) / 2)
    expected = np.outer(line, line) / line.sum() ** 2 * 255
    assert abs(found[4:11, 4:11] - expected).max() <= 0.51
    smooth = Image.fromarray(IMAGE).filter(ImageFilter.GaussianBlur(0.01))
    same = blur(IMAGES[:1], tf.constant([0.01]))[0]
    assert np.array_equal(same, np.asarray(smooth))


def test_each_of_the_three_is_met():
    changed = ThreeAugment(sigma=[1.0, 1.0])(IMAGES, KEYS).numpy()
    solarized = np.asarray(ImageOps.solarize(Image.fromarray(IMAGE), 128))
    grey = np.asarray(Image.fromarray(IMAGE).convert("L").convert("RGB"))
    smooth = blur(IMAGES[:1], tf.constant([1.0]))[0].numpy()
    kinds = [
        [np.array_equal(image, kind) for kind in (grey, solarized, smooth)].index(True)
        for image in changed
    ]
    assert min(np.bincount(kinds, minlength=3)) >= 8


def test_map_without_any_change_is_none():
    assert tf.reduce_all(Affine(**STILL)(IMAGES, KEYS) == IMAGES)


@pytest.mark.parametrize(
    ("change", "least", "most"),
    [
        ({"degrees": 20}, 0, 20),
        ({"scale": [2, 2]}, 0, 0),
        ({"translate": 0.25}, 0, 0),
        ({"shear": 30}, 0, 0),
    ],
)
def test_map_leads_where_its_forward_map_says(change, least, most):
    augment = Affine(**{**STILL, **change})
    a, b, c, d, e, f = augment.place(KEYS, (10, 12)).numpy().T
    scale = change.get("scale", [1])[0]
    assert np.allclose(a * e - b * d, 1 / scale**2)  # areas
    middle = np.stack([a * 6 + b * 5 + c - 6, d * 6 + e * 5 + f - 5])
    moved = abs(middle) * scale
    assert (moved <= np.array([[3], [3]]) + 1e-9).all()
    assert (moved.max() > 1) == ("translate" in change)
    angles = abs(np.degrees(np.arctan2(d, e)))
    assert angles.max() <= most + 1e-9
    assert (angles.max() > 10) == ("degrees" in change)
    assert (abs(a * b + d * e).max() > 0.1) == ("shear" in change)


@pytest.mark.parametrize("channels", [1, 3])
def test_bilinear_pixels_are_those_of_pillow(channels):
    changes = {"degrees": 40, "scale": [0.5, 2], "shear": 20, "translate": 0.3}
    augment = Affine(**{**STILL, **changes, "fill": 9, "interpolation": "bilinear"})
    images = IMAGES[..., :channels]
    found = augment(images, KEYS).numpy()
    for number, matrix in enumerate(augment.place(KEYS, (10, 12)).numpy()):
        plain = Image.fromarray(images[number].numpy().squeeze())
        expected = plain.transform(
            plain.size,
            Image.Transform.AFFINE,
            matrix.tolist(),
            Image.Resampling.BILINEAR,
            fillcolor=(9,) * channels if channels > 1 else 9,
        )
        assert np.array_equal(found[number].squeeze(), np.asarray(expected))


def test_turn_is_that_of_pillow():
    augment = Affine(**{**STILL, "degrees": 30})
    _, _, _, d, e, _ = augment.place(KEYS, (10, 12)).numpy().T
    found = augment(IMAGES, KEYS).numpy()
    for number in range(5):
        angle = np.degrees(np.arctan2(d[number], e[number]))
        plain = Image.fromarray(IMAGE)
        either = [np.asarray(plain.rotate(s * angle)) for s in (1, -1)]
        assert any(np.array_equal(found[number], turned) for turned in either)
