"""Changes that map each grey level of a channel to another one, as Pillow makes them.

Each function returns tables, uint8 `(B, C, 256)`: the new value of each old one.
"""

from typing import Any

import tensorflow as tf

_LEVELS = 256


def apply_tables(images: Any, tables: Any) -> Any:
    """Returns uint8 `(B, H, W, C)`, each value replaced by what its table says."""
    channels = images.shape[-1]
    starts = tf.range(channels) * _LEVELS
    places = tf.cast(images, tf.int32) + starts
    flat = tf.reshape(tables, (-1, channels * _LEVELS))
    return tf.gather(flat, places, axis=1, batch_dims=1)


def autocontrast(images: Any) -> Any:
    """Returns the tables that spread each channel's values over 0..255."""
    low = tf.cast(tf.reduce_min(images, axis=(1, 2)), tf.float64)[..., None]
    high = tf.cast(tf.reduce_max(images, axis=(1, 2)), tf.float64)[..., None]
    levels = tf.cast(_levels(), tf.float64)
    is_flat = high <= low
    scale = 255.0 / tf.where(is_flat, tf.ones_like(low), high - low)
    spread = tf.clip_by_value(levels * scale + -low * scale, 0, 255)
    return tf.cast(tf.where(is_flat, levels[None, None], spread), tf.uint8)


def equalize(images: Any) -> Any:
    """Returns the tables after which each channel's values are equally frequent."""
    height, width, channels = images.shape[1:]
    flat = tf.reshape(tf.transpose(images, (0, 3, 1, 2)), (-1, height * width))
    counts = tf.math.bincount(
        tf.cast(flat, tf.int32), minlength=_LEVELS, maxlength=_LEVELS, axis=-1
    )
    counts = tf.reshape(counts, (-1, channels, _LEVELS))
    last = tf.reduce_max(tf.where(counts > 0, _levels(), -1), axis=-1, keepdims=True)
    of_last = tf.reduce_sum(tf.where(_levels() == last, counts, 0), -1, keepdims=True)
    step = (height * width - of_last) // 255
    before = tf.cumsum(counts, axis=-1, exclusive=True)
    even = (step // 2 + before) // tf.maximum(step, 1)
    levels = tf.where(step > 0, tf.minimum(even, 255), _levels()[None, None])
    return tf.cast(levels, tf.uint8)


def _levels() -> Any:
    return tf.range(_LEVELS)
