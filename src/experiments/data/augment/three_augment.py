"""3-Augment: grey, solarized or blurred."""

from typing import Any

import tensorflow as tf

from experiments.data.augment import levels
from experiments.data.augment.each import change_each
from experiments.data.augment.grey import to_grey
from experiments.data.pipeline.sample_keys import draw_uniform

_THRESHOLD = 128  # of solarize
_RADIUS = 3  # pixels at which the widest blur ends


class ThreeAugment:
    """Makes each image grey, solarizes or blurs it, one of the three.

    The paper's recipe has colour jitter behind it: 'augment=[...,three_augment,
    color_jitter]'.

    Args:
        sigma: Smallest and largest standard deviation of the blur, in pixels.

    Reference:
        Touvron et al. (2022), DeiT III, arXiv:2204.07118, section 3. The kernel of the
        blur ends at 3 pixels; edges are repeated.
    """

    def __init__(self, *, sigma: list[float]) -> None:
        self.sigma = (float(sigma[0]), float(sigma[1]))

    def __call__(self, images: Any, keys: Any) -> Any:
        """Returns uint8 `(B, H, W, C)`; see `Augment`."""
        chosen = tf.cast(draw_uniform(keys, 0) * 3, tf.int32)
        least, most = self.sigma
        sigma = least + draw_uniform(keys, 1) * (most - least)
        places = tf.dynamic_partition(tf.range(tf.shape(images)[0]), chosen, 3)
        grey, solar, smooth = (tf.gather(images, place) for place in places)
        limits = tf.fill(tf.shape(places[1]), float(_THRESHOLD))
        changed = [
            tf.broadcast_to(to_grey(grey), tf.shape(grey)),
            levels.solarize(solar, limits),
            blur(smooth, tf.gather(sigma, places[2])),
        ]
        return tf.ensure_shape(tf.dynamic_stitch(places, changed), images.shape)


def blur(images: Any, sigma: Any) -> Any:
    """Returns images smoothed by a Gaussian, uint8 `(B, H, W, C)`.

    Args:
        images: uint8 `(B, H, W, C)`.
        sigma: Standard deviation in pixels, float32 `(B,)`.
    """
    steps = tf.range(-_RADIUS, _RADIUS + 1, dtype=tf.float32)
    weights = tf.exp(-((steps[None] / sigma[:, None]) ** 2) / 2)
    weights /= tf.reduce_sum(weights, axis=1, keepdims=True)
    return change_each(_weigh, images, weights)


def _weigh(images: Any, weights: Any) -> Any:
    """Returns weighted sums along both axes, uint8; weights `(1, 2 * _RADIUS + 1)`."""
    result = tf.cast(images, tf.float32)
    for axis in (1, 2):
        size = images.shape[axis]
        places = tf.clip_by_value(tf.range(-_RADIUS, size + _RADIUS), 0, size - 1)
        wide = tf.gather(result, places, axis=axis)
        sizes = [-1, -1, -1, -1]
        sizes[axis] = size
        result = tf.zeros_like(result)
        for number in range(2 * _RADIUS + 1):
            first = [0, 0, 0, 0]
            first[axis] = number
            result += weights[0, number] * tf.slice(wide, first, sizes)
    return tf.cast(tf.clip_by_value(tf.floor(result + 0.5), 0, 255), tf.uint8)
