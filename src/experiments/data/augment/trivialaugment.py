"""TrivialAugment: one random operation of random strength."""

from typing import Any

import tensorflow as tf

from experiments.data.augment.operations import OPERATIONS, apply_operations
from experiments.data.augment.randaugment import choose, choose_signs, spread

_MOST = {
    "shear_x": 0.99,
    "shear_y": 0.99,
    "translate_x": 32.0,
    "translate_y": 32.0,
    "rotate": 135.0,
    **dict.fromkeys(("brightness", "color", "contrast", "sharpness"), 0.99),
}


class TrivialAugment:
    """Changes each image by one of fourteen operations, its strength drawn as well.

    Args:
        magnitude_bins: Strengths from none to the greatest.
        fill: Of what lies outside the images, 0..255.

    Reference:
        Mueller and Hutter (2021), TrivialAugment, arXiv:2103.10158; the wide ranges, as
        in torchvision.transforms.v2.TrivialAugmentWide.
    """

    def __init__(self, *, magnitude_bins: int, fill: int) -> None:
        self.magnitude_bins = magnitude_bins
        self.fill = fill

    def __call__(self, images: Any, keys: Any) -> Any:
        """Returns uint8 `(B, H, W, C)`; see `Augment`."""
        ranges = tf.constant(spread(self.magnitude_bins, _MOST, lost_bits=6))
        chosen = choose(keys, 0, len(OPERATIONS))
        strength = choose(keys, 2, self.magnitude_bins)
        magnitudes = tf.gather_nd(ranges, tf.stack([chosen, strength], axis=1))
        magnitudes *= choose_signs(keys, 1, chosen)
        return apply_operations(images, chosen, magnitudes, fill=self.fill)
