"""Other pixels in a box of each image."""

from typing import Any

import tensorflow as tf


def fill_boxes(images: Any, others: Any, rows: Any, columns: Any) -> Any:
    """Returns images that show the others' pixels in a box, uint8 `(B, H, W, C)`.

    By bits, which takes a third of the time of `tf.where`.

    Args:
        images: uint8 `(B, H, W, C)`.
        others: What stands in the boxes, of the same shape.
        rows: Whether a box has a row, bool `(B, H)`.
        columns: Whether it has a column, bool `(B, W)`.
    """
    height, width, channels = images.shape[1:]
    values = tf.repeat(255 * tf.cast(columns, tf.uint8), channels, axis=1)
    lines = 255 * tf.cast(rows, tf.uint8)
    mask = tf.bitwise.bitwise_and(lines[:, :, None], values[:, None])
    lengths = (-1, height, width * channels)
    own, other = tf.reshape(images, lengths), tf.reshape(others, lengths)
    differing = tf.bitwise.bitwise_and(tf.bitwise.bitwise_xor(own, other), mask)
    filled = tf.bitwise.bitwise_xor(own, differing)
    return tf.reshape(filled, (-1, height, width, channels))
