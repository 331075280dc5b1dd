"""What mixup and cutmix have in common: partners, shares, blends and boxes."""

from typing import Any

import tensorflow as tf

from experiments.data.pipeline.sample_keys import draw_uniform


def pair(batch: Any) -> Any:
    """Returns each sample's partner: the first's is the last, and so on."""
    return tf.reverse(batch, axis=[0])


def blend_images(images: Any, shares: Any) -> Any:
    """Returns images blended with their partners, uint8 `(B, H, W, C)`.

    Args:
        images: uint8 `(B, H, W, C)`.
        shares: Of the image itself, float32 `(B,)`.
    """
    own = tf.cast(images, tf.float32)
    weights = shares[:, None, None, None]
    mixed = pair(own) + weights * (own - pair(own))
    return tf.cast(tf.floor(mixed + 0.5), tf.uint8)


def mix_labels(labels: Any, shares: Any) -> Any:
    """Returns labels blended with those of the partners, float32 `(B, classes)`."""
    weights = shares[:, None]
    return weights * labels + (1 - weights) * pair(labels)


def place_boxes(
    shares: Any, keys: Any, number: int, size: tuple[int, int]
) -> tuple[Any, Any]:
    """Returns the rows `(B, H)` and columns `(B, W)` that show the partner, bool.

    A box of the image's proportions lies anywhere about a uniform centre, and loses
    what is outside of the image.

    Args:
        shares: Of the image itself before that, float32 `(B,)`.
        keys: uint64 `(B,)`.
        number: The first of two numbers of the keys that are used.
        size: Height and width.
    """
    cut = tf.sqrt(1 - shares)
    inside = []
    for axis, length in enumerate(size):
        centre = tf.floor(draw_uniform(keys, number + axis) * length)
        half = tf.floor(tf.floor(cut * length) / 2)
        places = tf.range(length, dtype=tf.float32)[None]
        first, last = (centre - half)[:, None], (centre + half)[:, None]
        inside.append((places >= first) & (places < last))
    return inside[0], inside[1]


def share_outside(rows: Any, columns: Any) -> Any:
    """Returns the share of each image outside of its box, float32 `(B,)`."""
    inside = rows[:, :, None] & columns[:, None]
    return 1 - tf.reduce_mean(tf.cast(inside, tf.float32), axis=(1, 2))


def one_for_all(keys: Any) -> Any:
    """Returns the first key for every sample of a batch."""
    return tf.broadcast_to(keys[:1], tf.shape(keys))
