"""Scales uint8 images."""

from typing import Any

import tensorflow as tf


def resize_images(images: Any, size: tuple[int, int]) -> Any:
    """Resizes bilinearly with half-pixel centres; antialiased where it shrinks.

    Shrinking weighs all pixels that an output pixel covers, by a triangle as wide as
    two of its own; enlarging interpolates between four.

    Args:
        images: uint8 `(..., H, W, C)`, with or without a batch dimension.
        size: New height and width.

    Returns:
        uint8, rounded; `images` itself when they have this size already.
    """
    given = tuple(images.shape[-3:-1])
    if given == size:
        return images
    shrinks = size[0] < given[0] or size[1] < given[1]
    return round_to_uint8(tf.image.resize(images, size, "bilinear", antialias=shrinks))


def resize_box(image: Any, box: Any, size: Any) -> Any:
    """Resizes a part of an image as `resize_images` resizes a whole one.

    Args:
        image: uint8 `(H, W, C)`, nothing of which lies a whole pixel outside of `box`.
        box: float32 `(4,)`: top, left, height and width of the part, in pixels.
        size: int32 `(2,)`: the new height and width.

    Returns:
        uint8 `(*size, C)`, rounded.
    """
    scale = tf.cast(size, tf.float32) / box[2:]
    scaled = tf.raw_ops.ScaleAndTranslate(
        images=image[None],
        size=size,
        scale=scale,
        translation=-box[:2] * scale,
        kernel_type="triangle",
        antialias=True,
    )
    return round_to_uint8(scaled[0])


def round_to_uint8(images: Any) -> Any:
    """Returns float images in 0..255 as uint8, to the nearest, half up."""
    # Mean values of bytes lie within the range: clipping would be one pass more.
    return tf.cast(images + 0.5, tf.uint8)
