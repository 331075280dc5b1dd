"""The operations of RandAugment and its kin, one a sample.

The images of a batch are sorted by operation, so that each is changed by its own one
only, and put back in their order.
"""

from functools import partial
from typing import Any

import numpy as np
import tensorflow as tf

from experiments.data.augment import filters, geometry, levels, pixel_tables
from experiments.data.augment.each import change_each

OPERATIONS = (
    "identity",
    "shear_x",
    "shear_y",
    "translate_x",
    "translate_y",
    "rotate",
    "brightness",
    "color",
    "contrast",
    "sharpness",
    "posterize",
    "solarize",
    "autocontrast",
    "equalize",
)
ALL_OPERATIONS = (*OPERATIONS, "invert", "solarize_add")  # the last two: timm's
# Those whose magnitude is negated in half of the cases.
SIGNED = np.array([1 <= place <= 9 for place in range(len(OPERATIONS))])
_GEOMETRIC = OPERATIONS[1:6]
_FACTORS = {
    "brightness": levels.brighten,
    "color": filters.saturate,
    "contrast": levels.change_contrast,
    "sharpness": filters.sharpen,
}
_LEVELS = {
    "posterize": levels.posterize,
    "solarize": levels.solarize,
    "invert": levels.invert,
    "solarize_add": levels.brighten_dark,
}
_TABLES = {
    "autocontrast": pixel_tables.autocontrast,
    "equalize": pixel_tables.equalize,
}


def apply_operations(images: Any, chosen: Any, magnitudes: Any, *, fill: int) -> Any:
    """Returns the images, each changed by one operation, uint8 `(B, H, W, C)`.

    Args:
        images: uint8 `(B, H, W, C)`.
        chosen: int32 `(B,)`, places in `ALL_OPERATIONS`.
        magnitudes: float64 `(B,)`: the shear, pixels, degrees, what a factor is more
            than 1, bits, the threshold, levels; nothing to the others.
        fill: Of what lies outside the images.
    """
    kinds = ["identity", "geometric", *_FACTORS, *_LEVELS, *_TABLES]
    names = ["geometric" if n in _GEOMETRIC else n for n in ALL_OPERATIONS]
    kind = tf.gather(tf.constant([kinds.index(name) for name in names]), chosen)
    order = tf.range(tf.shape(images)[0])
    places = tf.dynamic_partition(order, kind, len(kinds))
    changed = []
    for name, place in zip(kinds, places, strict=True):
        part, own = tf.gather(images, place), tf.gather(magnitudes, place)
        if name == "geometric":
            matrices = _place(tf.gather(chosen, place), own, images.shape)
            part = geometry.transform(part, matrices, fill=fill)
        elif name != "identity":
            part = change_each(partial(_change, name), part, own)
        changed.append(part)
    return tf.ensure_shape(tf.dynamic_stitch(places, changed), images.shape)


def _change(name: str, images: Any, magnitudes: Any) -> Any:
    if name in _TABLES:
        return pixel_tables.apply_tables(images, _TABLES[name](images))
    if name in _FACTORS:
        return _FACTORS[name](images, 1 + magnitudes)
    return _LEVELS[name](images, magnitudes)


def _place(chosen: Any, magnitudes: Any, shape: Any) -> Any:
    """Returns the matrices of the geometric operations, float64 `(B, 6)`."""
    zero = tf.zeros_like(magnitudes)
    whole = tf.cast(tf.cast(magnitudes, tf.int32), tf.float64)  # pixels
    each = tf.stack(
        [
            geometry.shear(magnitudes, zero),
            geometry.shear(zero, magnitudes),
            geometry.translate(whole, zero),
            geometry.translate(zero, whole),
            geometry.rotate(magnitudes, tuple(shape[1:3])),
        ],
        axis=1,
    )
    return tf.gather(each, chosen - 1, axis=1, batch_dims=1)
