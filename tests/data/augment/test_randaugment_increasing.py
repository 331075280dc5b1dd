"""Levels and draws are those of timm's increasing RandAugment."""

import numpy as np
import pytest
import tensorflow as tf

from experiments.data.augment.operations import ALL_OPERATIONS
from experiments.data.augment.randaugment_increasing import (
    OPERATIONS,
    RandAugmentIncreasing,
    measure,
)
from experiments.data.pipeline.sample_keys import derive_key, key_from_seed

KEYS = derive_key(key_from_seed(5), tf.range(4000))
VALUES = {"num_ops": 1, "magnitude": 9.0, "magnitude_std": 0.5, "probability": 0.5}


def levels_of_timm(level: float, sign: int, width: int, height: int):
    """The functions `_*_level_to_arg` of timm/data/auto_augment.py, one by one."""
    factor = max(0.1, 1.0 + sign * level / 10 * 0.9) - 1
    return {
        "rotate": sign * level / 10 * 30,
        **dict.fromkeys(["color", "contrast", "brightness", "sharpness"], factor),
        **dict.fromkeys(["shear_x", "shear_y"], sign * level / 10 * 0.3),
        "translate_x": sign * level / 10 * 0.45 * width,
        "translate_y": sign * level / 10 * 0.45 * height,
        "posterize": 4 - int(level / 10 * 4),
        "solarize": 256 - min(256, int(level / 10 * 256)),
        "solarize_add": min(128, int(level / 10 * 110)),
        **dict.fromkeys(["autocontrast", "equalize", "invert"], 0),
    }


def test_the_operations_are_those_of_timm():
    assert sorted(OPERATIONS) == sorted(levels_of_timm(1, 1, 1, 1))


@pytest.mark.parametrize("level", [0.0, 3.0, 6.5, 9.0, 10.0])
@pytest.mark.parametrize("sign", [-1, 1])
def test_magnitudes_are_those_of_timm(level: float, sign: int):
    found = measure(tf.constant([level]), tf.constant([float(sign)]), (200, 300))
    expected = levels_of_timm(level, sign, 300, 200)
    for name, magnitude in zip(ALL_OPERATIONS[1:], found[0, 1:].numpy(), strict=True):
        close = 0.51 if name.startswith("translate") else 1e-6  # of whole pixels
        assert magnitude == pytest.approx(expected[name], abs=close), name


def test_strength_is_normal_and_cut_off():
    draw = RandAugmentIncreasing(**VALUES, fill=0).draw_strength(KEYS, 3).numpy()
    assert draw.max() <= 10
    assert np.median(draw) == pytest.approx(9, abs=0.03)
    assert np.std(draw[draw < 9] - 9) == pytest.approx(0.5 * 0.6028, abs=0.02)
    still = RandAugmentIncreasing(**{**VALUES, "magnitude_std": 0.0}, fill=0)
    assert np.unique(still.draw_strength(KEYS, 3)).tolist() == [9]


def test_half_of_the_operations_happen_and_a_key_decides_alone():
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (400, 12, 16, 3), np.uint8)
    keys = KEYS[:400]
    augment = RandAugmentIncreasing(**VALUES, fill=117)
    found = augment(tf.constant(images), keys).numpy()
    changed = (found != images).any(axis=(1, 2, 3)).mean()
    # Noise is as contrasted as can be: autocontrast leaves it, of fifteen.
    assert changed == pytest.approx(0.5 * 14 / 15, abs=0.09)
    alone = [
        augment(tf.constant(images[n : n + 1]), keys[n : n + 1])[0] for n in range(5)
    ]
    assert np.array_equal(found[:5], alone)
    never = RandAugmentIncreasing(**{**VALUES, "probability": 0.0}, fill=0)
    assert np.array_equal(never(tf.constant(images), keys), images)
