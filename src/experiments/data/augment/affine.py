"""A random affine map: turned, moved, scaled and sheared."""

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import tensorflow as tf

from experiments.data.augment import geometry
from experiments.data.augment.each import change_each
from experiments.data.pipeline.sample_keys import draw_uniform

# What the numbers of a key are for.
_ANGLE, _RIGHT, _DOWN, _SCALE, _SHEAR = range(5)


class Affine:
    """Maps each image by a random affine map about its middle.

    Args:
        degrees: Turns are uniform in -degrees .. degrees.
        translate: Largest move, as a share of the width and of the height.
        scale: Smallest and largest scale, uniform between.
        shear: Shears along x are uniform in -shear .. shear degrees.
        fill: Of what lies outside the images, 0..255.
        interpolation: `nearest` pixel, or `bilinear` of four; both as Pillow's.
    """

    def __init__(
        self,
        *,
        degrees: float,
        translate: float,
        scale: Sequence[float],
        shear: float,
        fill: int,
        interpolation: str,
    ) -> None:
        self.degrees = degrees
        self.translate = translate
        self.scale = (float(scale[0]), float(scale[1]))
        self.shear = shear
        self.fill = fill
        self.interpolation = interpolation

    def __call__(self, images: Any, keys: Any) -> Any:
        """Returns uint8 `(B, H, W, C)`; see `Augment`."""
        size = tuple(images.shape[1:3])
        matrices = self.place(keys, size)
        if self.interpolation == "nearest":
            return geometry.transform(images, matrices, fill=self.fill)
        change = partial(geometry.interpolate, fill=self.fill)
        return change_each(change, images, matrices)

    def place(self, keys: Any, size: tuple[int, int]) -> Any:
        """Returns the matrices, float64 `(B, 6)`; see `geometry`.

        Args:
            keys: uint64 `(B,)`.
            size: Height and width.
        """
        height, width = size
        angle = _draw_about(keys, _ANGLE, self.degrees) * (math.pi / 180)
        slant = tf.tan(_draw_about(keys, _SHEAR, self.shear) * (math.pi / 180))
        right = tf.round(_draw_about(keys, _RIGHT, self.translate * width))
        down = tf.round(_draw_about(keys, _DOWN, self.translate * height))
        least, most = self.scale
        share = tf.cast(draw_uniform(keys, _SCALE), tf.float64)
        scale = least + share * (most - least)
        # The way back: first what was done last is undone, then the one before.
        cos, sin = tf.cos(angle) / scale, tf.sin(angle) / scale
        linear = (cos - slant * sin, -sin - slant * cos, sin, cos)
        a, b, c, d, e, f = tf.unstack(geometry.about_middle(linear, size), axis=1)
        c -= a * right + b * down
        f -= d * right + e * down
        return tf.stack([a, b, c, d, e, f], axis=1)


def _draw_about(keys: Any, number: int, most: float) -> Any:
    """Returns numbers in -most..most, float64 `(B,)`."""
    return (2 * tf.cast(draw_uniform(keys, number), tf.float64) - 1) * most
