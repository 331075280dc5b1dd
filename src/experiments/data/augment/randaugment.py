"""RandAugment: some random operations of one strength."""

from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from experiments.data.augment.operations import OPERATIONS, SIGNED, apply_operations
from experiments.data.pipeline.sample_keys import draw_uniform


class RandAugment:
    """Changes each image by some operations, drawn from fourteen with replacement.

    Args:
        num_ops: Operations an image.
        magnitude: Their strength, one of the bins, from 0.
        magnitude_bins: Bins from no strength to the greatest.
        fill: Of what lies outside the images, 0..255.

    Reference:
        Cubuk et al. (2020), RandAugment, arXiv:1909.13719; operations and ranges as in
        torchvision.transforms.v2.RandAugment.
    """

    def __init__(
        self, *, num_ops: int, magnitude: int, magnitude_bins: int, fill: int
    ) -> None:
        self.num_ops = num_ops
        self.magnitude = magnitude
        self.magnitude_bins = magnitude_bins
        self.fill = fill

    def __call__(self, images: Any, keys: Any) -> Any:
        """Returns uint8 `(B, H, W, C)`; see `Augment`."""
        ranges = list_ranges(self.magnitude_bins, tuple(images.shape[1:3]))
        strength = tf.constant(ranges[:, self.magnitude])
        for number in range(self.num_ops):
            chosen = choose(keys, 2 * number, len(OPERATIONS))
            signs = choose_signs(keys, 2 * number + 1, chosen)
            magnitudes = tf.gather(strength, chosen) * signs
            images = apply_operations(images, chosen, magnitudes, fill=self.fill)
        return images


def choose(keys: Any, number: int, count: int) -> Any:
    """Returns int32 in 0..count - 1, for each key."""
    return tf.cast(draw_uniform(keys, number) * count, tf.int32)


def choose_signs(keys: Any, number: int, chosen: Any) -> Any:
    """Returns 1 or -1 for each image, float64; 1 where an operation has no sign."""
    is_negative = (draw_uniform(keys, number) < 0.5) & tf.gather(
        tf.constant(SIGNED), chosen
    )
    return tf.where(is_negative, tf.constant(-1.0, tf.float64), 1.0)


def list_ranges(bins: int, size: tuple[int, int]) -> npt.NDArray[np.float64]:
    """Returns the magnitude of each operation in each bin, `(14, bins)`.

    Args:
        bins: How many.
        size: Height and width.
    """
    height, width = size
    most = {
        "shear_x": 0.3,
        "shear_y": 0.3,
        "translate_x": 150 / 331 * width,
        "translate_y": 150 / 331 * height,
        "rotate": 30.0,
        **dict.fromkeys(("brightness", "color", "contrast", "sharpness"), 0.9),
    }
    return spread(bins, most, lost_bits=4)


def spread(
    bins: int, most: dict[str, float], *, lost_bits: int
) -> npt.NDArray[np.float64]:
    """Returns magnitudes from none to the greatest, in equal steps, `(14, bins)`.

    Args:
        bins: How many.
        most: Operation -> its greatest magnitude.
        lost_bits: Of posterize, at its strongest.
    """
    share = np.linspace(0, 1, bins)
    ranges = {name: value * share for name, value in most.items()}
    ranges["posterize"] = 8 - np.round(lost_bits * share)
    ranges["solarize"] = 255 * (1 - share)
    return np.stack([ranges.get(name, 0 * share) for name in OPERATIONS])
