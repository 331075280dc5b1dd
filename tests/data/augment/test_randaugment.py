"""Ranges are those of torchvision's table; draws are those of the keys."""

import numpy as np
import pytest
import tensorflow as tf

from experiments.data.augment import randaugment, trivialaugment
from experiments.data.augment.operations import OPERATIONS
from experiments.data.augment.randaugment import RandAugment, list_ranges, spread
from experiments.data.augment.trivialaugment import TrivialAugment
from experiments.data.pipeline.sample_keys import derive_key, key_from_seed

KEYS = derive_key(key_from_seed(5), tf.range(400))
IMAGES = np.random.default_rng(0).integers(0, 256, (400, 12, 16, 3), np.uint8)


def of(ranges, name):
    return ranges[OPERATIONS.index(name)]


def test_ranges_are_those_of_torchvision():
    ranges = list_ranges(31, (331, 662))
    assert ranges.shape == (14, 31)
    assert of(ranges, "shear_x")[[0, 30]].tolist() == [0, 0.3]
    assert of(ranges, "rotate")[9] == pytest.approx(9)
    assert of(ranges, "translate_y")[30] == pytest.approx(150)
    assert of(ranges, "translate_x")[30] == pytest.approx(300)
    assert of(ranges, "brightness")[9] == pytest.approx(0.27)
    assert of(ranges, "solarize")[[0, 9, 30]].tolist() == [255, 178.5, 0]
    # 8 - round(bin / 7.5)
    assert of(ranges, "posterize")[[0, 3, 4, 9, 30]].tolist() == [8, 8, 7, 7, 4]


def test_wide_ranges_are_those_of_torchvision():
    ranges = spread(31, trivialaugment._MOST, lost_bits=6)
    assert of(ranges, "shear_y")[30] == 0.99
    assert of(ranges, "translate_x")[30] == 32
    assert of(ranges, "rotate")[30] == 135
    assert of(ranges, "posterize")[[0, 30]].tolist() == [8, 2]
    assert of(ranges, "sharpness")[30] == 0.99


@pytest.mark.parametrize(
    "augment",
    [
        RandAugment(num_ops=2, magnitude=9, magnitude_bins=31, fill=0),
        TrivialAugment(magnitude_bins=31, fill=0),
    ],
)
def test_change_of_an_image_depends_on_its_key_alone(augment):
    images = tf.constant(IMAGES)
    whole = augment(images, KEYS).numpy()
    parts = [augment(images[n : n + 1], KEYS[n : n + 1])[0] for n in range(9)]
    assert np.array_equal(whole[:9], parts)
    assert whole.dtype == np.uint8
    changed = np.any(whole != IMAGES, axis=(1, 2, 3)).mean()
    assert 0.5 < changed < 1


def test_operations_and_signs_are_equally_likely():
    keys = derive_key(key_from_seed(1), tf.range(14_000))
    chosen = randaugment.choose(keys, 0, 14)
    counts = np.bincount(chosen, minlength=14)
    assert abs(counts - 1000).max() < 5 * 31  # standard deviations
    signs = randaugment.choose_signs(keys, 1, chosen).numpy()
    assert set(signs[np.isin(chosen, [0, 10, 11, 12, 13])]) == {1}
    assert abs(signs[np.isin(chosen, range(1, 10))].mean()) < 0.06


def test_no_magnitude_changes_nothing_that_has_one():
    none = RandAugment(num_ops=1, magnitude=0, magnitude_bins=31, fill=0)
    chosen = randaugment.choose(KEYS, 0, 14).numpy()
    same = np.all(none(tf.constant(IMAGES), KEYS) == IMAGES, axis=(1, 2, 3))
    assert same[np.isin(chosen, range(11))].all()
