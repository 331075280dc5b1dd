"""Affine maps of images, pixel by pixel as Pillow's `Image.transform` has them.

A matrix is `(B, 6)`, float64: for the output pixel (x, y) it names the input pixel
(a x + b y + c, d x + e y + f), pixel centres at one half.
"""

from typing import Any

import tensorflow as tf

_ONE = 65536.0  # of Pillow's fixed point numbers


def shear(along_x: Any, along_y: Any) -> Any:
    """Returns matrices that shift by `along_x` a row and by `along_y` a column."""
    one, zero = tf.ones_like(along_x), tf.zeros_like(along_x)
    return tf.stack([one, along_x, zero, along_y, one, zero], axis=1)


def translate(right: Any, down: Any) -> Any:
    """Returns matrices that move the images by pixels."""
    one, zero = tf.ones_like(right), tf.zeros_like(right)
    return tf.stack([one, zero, -right, zero, one, -down], axis=1)


def rotate(degrees: Any, size: tuple[int, int]) -> Any:
    """Returns matrices that turn about the middle, counter-clockwise.

    Args:
        degrees: float64 `(B,)`.
        size: Height and width.
    """
    angle = -degrees * (3.141592653589793 / 180)
    cos, sin = tf.cos(angle), tf.sin(angle)
    linear = (cos, sin, -sin, cos)
    return about_middle(linear, size)


def about_middle(linear: tuple[Any, Any, Any, Any], size: tuple[int, int]) -> Any:
    """Returns matrices of a linear map, (a, b, d, e), that leaves the middle in place.

    Args:
        linear: float64 `(B,)` each.
        size: Height and width.
    """
    a, b, d, e = linear
    y, x = size[0] / 2, size[1] / 2
    return tf.stack(
        [a, b, x - a * x - b * y, d, e, y - d * x - e * y],
        axis=1,
    )


def transform(images: Any, matrices: Any, *, fill: int = 0) -> Any:
    """Returns the images mapped by the nearest pixel, uint8 `(B, H, W, C)`.

    Args:
        images: uint8 `(B, H, W, C)`.
        matrices: `(B, 6)`, see above.
        fill: Of what lies outside the images.
    """
    height, width, channels = images.shape[1:]
    a, b, c, d, e, f = tf.unstack(tf.cast(matrices, tf.float64), axis=1)
    x = _follow(a, b, c + (a + b) / 2, (height, width))
    y = _follow(d, e, f + (d + e) / 2, (height, width))
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    # One pixel more, behind all, is what lies outside.
    places = tf.where(inside, y * width + x, height * width)
    pixels = tf.reshape(images, (-1, height * width, channels))
    pixels = tf.pad(pixels, ((0, 0), (0, 1), (0, 0)), constant_values=fill)
    return tf.ensure_shape(
        tf.gather(pixels, places, axis=1, batch_dims=1), images.shape
    )


def interpolate(images: Any, matrices: Any, *, fill: int = 0) -> Any:
    """Returns the images mapped, each pixel a bilinear mean of four: see `transform`.

    As in Pillow it is rounded down, pixels outside of the image are those of its edge,
    and what is filled are the places where the nearest pixel would lie outside.
    """
    height, width, channels = images.shape[1:]
    matrices = tf.cast(matrices, tf.float64)[:, :, None, None]
    a, b, c, d, e, f = tf.unstack(matrices, axis=1)
    x = tf.range(width, dtype=tf.float64)[None, None] + 0.5
    y = tf.range(height, dtype=tf.float64)[None, :, None] + 0.5
    x, y = a * x + b * y + c, d * x + e * y + f
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    left, top = tf.floor(x - 0.5), tf.floor(y - 0.5)
    across, down = (x - 0.5 - left)[..., None], (y - 0.5 - top)[..., None]
    pixels = tf.reshape(images, (-1, height * width, channels))

    def take(row: Any, column: Any) -> Any:
        row = tf.clip_by_value(row, 0, height - 1)
        column = tf.clip_by_value(column, 0, width - 1)
        places = tf.cast(row * width + column, tf.int32)
        return tf.cast(tf.gather(pixels, places, axis=1, batch_dims=1), tf.float64)

    def mean(first: Any, second: Any, share: Any) -> Any:
        return first + (second - first) * share

    upper = mean(take(top, left), take(top, left + 1), across)
    lower = mean(take(top + 1, left), take(top + 1, left + 1), across)
    mapped = tf.where(inside[..., None], mean(upper, lower, down), float(fill))
    return tf.ensure_shape(tf.cast(mapped, tf.uint8), images.shape)


def _follow(by_x: Any, by_y: Any, start: Any, size: tuple[int, int]) -> Any:
    """Returns int32 `(B, H, W)`: which input column, or row, each pixel is from."""
    by_x, by_y, start = (
        tf.cast(tf.floor(value * _ONE + 0.5), tf.int32)[:, None, None]
        for value in (by_x, by_y, start)
    )
    x, y = tf.range(size[1])[None, None], tf.range(size[0])[None, :, None]
    return tf.bitwise.right_shift(start + by_y * y + by_x * x, 16)
