"""Changes that look at a pixel's other channels or neighbours, as Pillow makes them."""

from typing import Any

import tensorflow as tf

from experiments.data.augment.grey import to_grey
from experiments.data.augment.levels import blend


def saturate(images: Any, factors: Any) -> Any:
    """Returns a blend of the images with their grey: Pillow's `ImageEnhance.Color`.

    Args:
        images: uint8 `(B, H, W, C)`; one of one channel stays as it is.
        factors: `(B,)`; 0 is grey, 1 changes nothing.
    """
    if images.shape[-1] == 1:
        return images
    return blend(to_grey(images), images, tf.reshape(factors, (-1, 1, 1, 1)))


def sharpen(images: Any, factors: Any) -> Any:
    """Returns a blend with the smoothed images: Pillow's `ImageEnhance.Sharpness`.

    Args:
        images: uint8 `(B, H, W, C)`; the outermost pixels stay as they are.
        factors: `(B,)`; 0 is smooth, 1 changes nothing, more is sharper.
    """
    height, width = images.shape[1:3]
    if min(height, width) < 3:
        return images
    whole = tf.cast(images, tf.float32)
    rows = whole[:, :-2] + whole[:, 1:-1] + whole[:, 2:]
    nine = rows[:, :, :-2] + rows[:, :, 1:-1] + rows[:, :, 2:]
    inner = whole[:, 1:-1, 1:-1]
    # 13 parts, 5 of them the pixel's own; no sum lies in the middle of two levels.
    smooth = tf.floor((2 * (nine + 4 * inner) + 13) / 26)
    changed = blend(smooth, inner, tf.reshape(factors, (-1, 1, 1, 1)))
    middle = tf.concat([images[:, 1:-1, :1], changed, images[:, 1:-1, -1:]], axis=2)
    return tf.concat([images[:, :1], middle, images[:, -1:]], axis=1)
