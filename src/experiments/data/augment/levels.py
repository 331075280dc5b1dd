"""Changes of each value by itself, as Pillow makes them.

Images are uint8 `(B, H, W, C)`; factors, bits and thresholds `(B,)`.
"""

from typing import Any

import tensorflow as tf

from experiments.data.augment.grey import to_grey


def blend(first: Any, second: Any, factors: Any) -> Any:
    """Returns `first + factors * (second - first)` as Pillow rounds it: down.

    Args:
        first: What a factor of 0 gives, numbers in 0..255.
        second: What a factor of 1 gives.
        factors: Broadcast against both.
    """
    first, second = tf.cast(first, tf.float32), tf.cast(second, tf.float32)
    mixed = first + tf.cast(factors, tf.float32) * (second - first)
    return tf.cast(tf.clip_by_value(mixed, 0, 255), tf.uint8)


def brighten(images: Any, factors: Any) -> Any:
    """Returns a blend with black; 1 changes nothing."""
    return blend(0, images, _by_image(factors))


def change_contrast(images: Any, factors: Any) -> Any:
    """Returns a blend with each image's mean grey; 1 changes nothing."""
    total = tf.reduce_sum(tf.cast(to_grey(images), tf.int32), axis=(1, 2, 3))
    pixels = images.shape[1] * images.shape[2]
    mean = tf.floor(tf.cast(total, tf.float64) / pixels + 0.5)
    return blend(_by_image(mean), images, _by_image(factors))


def posterize(images: Any, bits: Any) -> Any:
    """Returns the images with their highest bits only, 1 to 8 of them."""
    lost = tf.cast(8 - tf.round(_by_image(bits)), tf.uint8)
    return tf.bitwise.left_shift(tf.bitwise.right_shift(images, lost), lost)


def solarize(images: Any, thresholds: Any) -> Any:
    """Returns the images with all inverted that is not below a threshold."""
    limits = tf.cast(tf.math.ceil(_by_image(thresholds)), tf.uint8)
    # 255 - x flips all bits; choosing by `tf.where` would take four times as long.
    return tf.bitwise.bitwise_xor(images, 255 * tf.cast(images >= limits, tf.uint8))


def _by_image(numbers: Any) -> Any:
    return tf.reshape(numbers, (-1, 1, 1, 1))
