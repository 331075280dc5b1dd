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
    """Returns the images with their highest bits only, 0 to 8 of them."""
    lost = tf.cast(8 - tf.round(_by_image(bits)), tf.int32)
    kept = 256 - tf.bitwise.left_shift(1, lost)
    return tf.bitwise.bitwise_and(images, tf.cast(kept, tf.uint8))


def solarize(images: Any, thresholds: Any) -> Any:
    """Returns the images with all inverted that is not below a threshold, 0 to 256."""
    limits = tf.math.ceil(_by_image(thresholds))
    flips = tf.where(limits > 255, tf.zeros_like(limits), 255)
    limits, flips = (tf.cast(each, tf.uint8) for each in (limits, flips))
    # 255 - x flips all bits; choosing by `tf.where` would take four times as long.
    return tf.bitwise.bitwise_xor(images, flips * tf.cast(images >= limits, tf.uint8))


def invert(images: Any, _: Any = None) -> Any:
    """Returns the negatives."""
    return 255 - images


def brighten_dark(images: Any, added: Any) -> Any:
    """Returns the images with 0 to 127 levels more where there are less than 128."""
    more = tf.cast(_by_image(added), tf.uint8)
    return images + more * tf.cast(images < 128, tf.uint8)


def _by_image(numbers: Any) -> Any:
    return tf.reshape(numbers, (-1, 1, 1, 1))
