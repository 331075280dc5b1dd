"""A rectangle within the ranges is painted, where it is drawn."""

import numpy as np
import pytest
import tensorflow as tf

from experiments.data.augment.random_erasing import RandomErasing
from experiments.data.pipeline.sample_keys import derive_key, key_from_seed

KEYS = derive_key(key_from_seed(2), tf.range(1000))
WHITE = tf.fill((1000, 20, 30, 3), tf.constant(200, tf.uint8))


def erase(**changes):
    values = {"probability": 1.0, "area": [0.1, 0.3], "ratio": [0.5, 2.0], "fill": 0}
    return RandomErasing(**{**values, **changes})(WHITE, KEYS).numpy()


def test_rectangle_has_the_area_and_the_ratio_that_are_asked_for():
    erased = (erase() == 0).all(axis=-1)
    heights, widths = erased.any(axis=2).sum(1), erased.any(axis=1).sum(1)
    assert np.array_equal(erased.sum(axis=(1, 2)), heights * widths)  # one rectangle
    share = heights * widths / 600
    assert share.min() > 0.08
    assert share.max() < 0.33
    ratio = heights / widths
    assert ratio.min() > 0.4
    assert ratio.max() < 2.4
    assert abs(np.log(ratio).mean()) < 0.1
    assert erased.any(axis=0).all()  # any place may be met


def test_probability_is_the_share_of_images():
    met = (erase(probability=0.25) != 200).any(axis=(1, 2, 3)).mean()
    assert met == pytest.approx(0.25, abs=0.05)
    assert (erase(probability=0.0) == 200).all()


def test_rectangle_that_never_fits_leaves_the_image():
    assert (erase(area=[1, 1], ratio=[1, 1]) == 200).all()


def test_noise_is_uniform_and_a_key_s_own():
    values = erase(fill="noise", area=[0.3, 0.3])
    noise = values[values != 200]
    assert abs(noise.mean() - 127.5) < 1
    assert noise.min() == 0
    assert noise.max() == 255
    same = RandomErasing(probability=1.0, area=[0.3, 0.3], ratio=[0.5, 2], fill="noise")
    assert np.array_equal(same(WHITE[7:8], KEYS[7:8])[0], values[7])
