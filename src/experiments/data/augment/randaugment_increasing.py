"""RandAugment as timm has it, its strength drawn about a magnitude."""

import math
from typing import Any

import tensorflow as tf

from experiments.data.augment.operations import ALL_OPERATIONS, apply_operations
from experiments.data.augment.randaugment import choose
from experiments.data.pipeline.sample_keys import draw_uniform

OPERATIONS = ALL_OPERATIONS[1:]  # there, nothing is done by the probability alone
_MOST = 10.0  # the greatest magnitude
# What the numbers of a key are for, of each operation in turn.
_CHOSEN, _WHETHER, _SIGN, _STRENGTH = 0, 1, 2, 3
_DRAWS = 5


class RandAugmentIncreasing:
    """Changes each image by some of fifteen operations, drawn with replacement.

    A greater magnitude is a stronger change for each of them. What is moved is taken
    from the nearest pixel, where timm interpolates.

    Args:
        num_ops: Operations an image.
        magnitude: Mean of their strength, of 10.
        magnitude_std: Its standard deviation, normal for each operation and cut off at
            0 and 10.
        probability: Of each operation to happen.
        fill: Of what lies outside the images, 0..255.

    Reference:
        timm's `rand-m9-mstd0.5-inc1` (timm/data/auto_augment.py) is magnitude 9 and
        magnitude_std 0.5; Cubuk et al. (2020), RandAugment, arXiv:1909.13719.
    """

    def __init__(
        self,
        *,
        num_ops: int,
        magnitude: float,
        magnitude_std: float,
        probability: float,
        fill: int,
    ) -> None:
        self.num_ops = num_ops
        self.magnitude = magnitude
        self.magnitude_std = magnitude_std
        self.probability = probability
        self.fill = fill

    def __call__(self, images: Any, keys: Any) -> Any:
        """Returns uint8 `(B, H, W, C)`; see `Augment`."""
        size = tuple(images.shape[1:3])
        for number in range(0, self.num_ops * _DRAWS, _DRAWS):
            chosen = 1 + choose(keys, number + _CHOSEN, len(OPERATIONS))
            strength = self.draw_strength(keys, number + _STRENGTH)
            signs = tf.where(draw_uniform(keys, number + _SIGN) < 0.5, -1.0, 1.0)
            each = measure(strength, signs, size)
            magnitudes = tf.gather(each, chosen, axis=1, batch_dims=1)
            happens = draw_uniform(keys, number + _WHETHER) < self.probability
            chosen = tf.where(happens, chosen, 0)
            images = apply_operations(images, chosen, magnitudes, fill=self.fill)
        return images

    def draw_strength(self, keys: Any, number: int) -> Any:
        """Returns strengths in 0..10, float32 `(B,)`; takes two numbers of the keys."""
        radius = tf.sqrt(-2 * tf.math.log(1 - draw_uniform(keys, number)))
        normal = radius * tf.cos(2 * math.pi * draw_uniform(keys, number + 1))
        return tf.clip_by_value(self.magnitude + self.magnitude_std * normal, 0, _MOST)


def measure(strengths: Any, signs: Any, size: tuple[int, int]) -> Any:
    """Returns what each operation takes for a strength, float64 `(B, 16)`.

    Args:
        strengths: In 0..10, `(B,)`.
        signs: -1 or 1, `(B,)`.
        size: Height and width.
    """
    share = tf.cast(strengths, tf.float64) / _MOST
    signed = tf.cast(signs, tf.float64) * share
    factor = tf.maximum(0.9 * signed, -0.9)
    found = {
        "shear_x": 0.3 * signed,
        "shear_y": 0.3 * signed,
        "translate_x": tf.round(0.45 * size[1] * signed),
        "translate_y": tf.round(0.45 * size[0] * signed),
        "rotate": 30 * signed,
        **dict.fromkeys(("brightness", "color", "contrast", "sharpness"), factor),
        "posterize": 4 - tf.floor(4 * share),
        "solarize": 256 - tf.floor(256 * share),
        "solarize_add": tf.floor(110 * share),
    }
    none = tf.zeros_like(share)
    return tf.stack([found.get(name, none) for name in ALL_OPERATIONS], axis=1)
