"""Changes that map each grey level of a channel to another one, as Pillow makes them.

Each function returns tables, uint8 `(B, C, 256)`: the new value of each old one.
"""

from typing import Any

import tensorflow as tf

from experiments.data.augment.grey import to_grey

_LEVELS = 256


def apply_tables(images: Any, tables: Any) -> Any:
    """Returns uint8 `(B, H, W, C)`, each value replaced by what its table says."""
    channels = images.shape[-1]
    starts = tf.range(channels) * _LEVELS
    places = tf.cast(images, tf.int32) + starts
    flat = tf.reshape(tables, (-1, channels * _LEVELS))
    return tf.gather(flat, places, axis=1, batch_dims=1)


def blend(first: Any, second: Any, factors: Any) -> Any:
    """Returns `first + factors * (second - first)` as Pillow rounds it: down.

    Args:
        first: What a factor of 0 gives, numbers in 0..255.
        second: What a factor of 1 gives.
        factors: Float, broadcast against both.
    """
    first, second = tf.cast(first, tf.float32), tf.cast(second, tf.float32)
    mixed = first + tf.cast(factors, tf.float32) * (second - first)
    return tf.cast(tf.clip_by_value(mixed, 0, 255), tf.uint8)


def invert(images: Any) -> Any:
    """Returns the tables of a negative."""
    return _same_for_all(images, 255 - _levels()[None, None])


def brightness(images: Any, factors: Any) -> Any:
    """Returns the tables of a blend with black; 1 changes nothing."""
    factors = tf.reshape(factors, (-1, 1, 1))
    return _same_for_all(images, blend(0, _levels()[None, None], factors))


def contrast(images: Any, factors: Any) -> Any:
    """Returns the tables of a blend with the image's mean grey."""
    grey = tf.cast(to_grey(images), tf.int32)  # (B, H, W, 1)
    pixels = images.shape[1] * images.shape[2]
    total = tf.cast(tf.reduce_sum(grey, axis=(1, 2, 3)), tf.float64)
    mean = tf.floor(total / pixels + 0.5)[:, None, None]
    factors = tf.reshape(factors, (-1, 1, 1))
    return _same_for_all(images, blend(mean, _levels()[None, None], factors))


def posterize(images: Any, bits: Any) -> Any:
    """Returns the tables that keep the highest bits, 1 to 8 of them."""
    lost = tf.reshape(8 - tf.cast(tf.round(bits), tf.int32), (-1, 1, 1))
    levels = tf.bitwise.left_shift(
        tf.bitwise.right_shift(_levels()[None, None], lost), lost
    )
    return _same_for_all(images, levels)


def solarize(images: Any, thresholds: Any) -> Any:
    """Returns the tables that invert what is not below a threshold."""
    limits = tf.reshape(tf.cast(thresholds, tf.float64), (-1, 1, 1))
    levels = _levels()[None, None]
    kept = tf.cast(levels, tf.float64) < limits
    return _same_for_all(images, tf.where(kept, levels, 255 - levels))


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


def _same_for_all(images: Any, tables: Any) -> Any:
    """Returns tables `(B, 1, 256)` or `(1, 1, 256)` for every image and channel."""
    shape = (tf.shape(images)[0], images.shape[-1], _LEVELS)
    return tf.broadcast_to(tf.cast(tables, tf.uint8), shape)
