"""Scales uint8 images: antialiased where they shrink, bilinear where they grow."""

from typing import Any

import tensorflow as tf

# Below this factor the mean over an area is closer than a triangle to what the slower
# filters make of a photograph, and takes half of the time. From there on it aliases.
_LITTLE = 2.0


def resize_images(images: Any, size: tuple[int, int]) -> Any:
    """Scales whole images with half-pixel centres; antialiased where they shrink.

    Each axis by itself: enlarging interpolates between two pixels, shrinking by less
    than two takes the mean over the length that an output pixel covers. Once an axis
    shrinks by two or more, both weigh by triangles as wide as two output pixels, which
    is Pillow's `BILINEAR`.

    Args:
        images: uint8 `(..., H, W, C)`, with or without a batch dimension.
        size: New height and width.

    Returns:
        uint8, rounded; `images` itself when they have this size already.
    """
    given = tuple(images.shape[-3:-1])
    if given == size:
        return images
    box = tf.constant((0, 0, *given), tf.float32)
    alone = len(images.shape) == 3
    scaled = _resize(images[None] if alone else images, box, tf.constant(size))
    shape = (*images.shape[:-3], *size, images.shape[-1])
    return tf.ensure_shape(scaled[0] if alone else scaled, shape)


def resize_box(image: Any, box: Any, size: Any) -> Any:
    """Resizes a part of an image as `resize_images` resizes a whole one.

    Args:
        image: uint8 `(H, W, C)`, nothing of which lies a whole pixel outside of `box`.
        box: float32 `(4,)`: top, left, height and width of the part, in pixels.
        size: int32 `(2,)`: the new height and width.

    Returns:
        uint8 `(*size, C)`, rounded.
    """
    return _resize(image[None], box, size)[0]


def round_to_uint8(images: Any) -> Any:
    """Returns float images in 0..255 as uint8, to the nearest, half up."""
    # Mean values of bytes lie within the range: clipping would be one pass more.
    return tf.cast(images + 0.5, tf.uint8)


def _resize(images: Any, box: Any, size: Any) -> Any:
    given = tf.cast(tf.shape(images)[1:3], tf.float32)
    whole = tf.equal(box[2:], given)
    little = box[2:] < _LITTLE * tf.cast(size, tf.float32)
    scaled = tf.cond(
        tf.reduce_all(whole & little),
        lambda: _scale_little(images, size),
        lambda: _weigh_by_triangles(images, box, size),
    )
    return round_to_uint8(scaled)


def _scale_little(images: Any, size: Any) -> Any:
    """Shrinks the axes that are too long, then enlarges those that are too short."""
    given = tf.shape(images)[1:3]
    smaller = tf.minimum(given, size)
    images = tf.cast(images, tf.float32)
    images = tf.cond(
        tf.reduce_all(tf.equal(smaller, given)),
        lambda: images,
        lambda: tf.raw_ops.ResizeArea(images=images, size=smaller),
    )
    return tf.image.resize(images, size, "bilinear")


def _weigh_by_triangles(images: Any, box: Any, size: Any) -> Any:
    scale = tf.cast(size, tf.float32) / box[2:]
    return tf.raw_ops.ScaleAndTranslate(
        images=images,
        size=size,
        scale=scale,
        translation=-box[:2] * scale,
        kernel_type="triangle",
        antialias=True,
    )
