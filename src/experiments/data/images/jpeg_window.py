"""Decodes a window of a JPEG, scaled and upright, and nothing around it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from experiments.data.images.orientation import UPRIGHT, read_jpeg_orientation
from experiments.data.images.python_call import call_python
from experiments.data.images.resize import resize_box

# The accurate inverse transform: the fast one saves nothing with current libraries.
_DCT_METHOD = "INTEGER_ACCURATE"
# The decoder halves up to three times, at a fraction of the time. It does so less
# smoothly than we: done while a factor of 4.5 is left it costs at most 0.4 dB.
_HALVINGS = 4
_FACTORS = [4.5 * 2**count for count in range(1, _HALVINGS)]
# Where the standard wants the EXIF segment: at the front, in at most 64 KiB.
_HEAD_BYTES = 2**16


def decode_jpeg_window(
    content: Any,
    size: Any,
    choose_window: Callable[[Any], Any],
    target: tuple[int, int],
    *,
    orientation: Any = None,
) -> Any:
    """Returns uint8 `(*target, 3)`: the window, antialiased and turned upright.

    Args:
        content: Scalar string, the file's bytes.
        size: int32 `(2,)`: height and width as stored.
        choose_window: Maps the size of the upright image to top, left, height and
            width of a window of it.
        target: Height and width to scale the window to.
        orientation: Scalar int32 of 1 to 8; read from the file, by Python, without it.
    """
    orientation = _read_orientation(content) if orientation is None else orientation
    rows_flipped, columns_flipped, turned = _describe_turn(orientation)
    window = choose_window(tf.where(turned, size[::-1], size))
    # Undone in the opposite order: a viewer flips what is stored, then transposes.
    transposed = tf.gather(window, (1, 0, 3, 2))
    window = tf.where(turned, transposed, window)
    corner, extent = window[:2], window[2:]
    flipped = tf.stack([rows_flipped, columns_flipped])
    corner = tf.where(flipped, size - corner - extent, corner)
    shape = tf.where(turned, target[::-1], target)
    image = _decode_scaled(content, corner, extent, shape)
    image = tf.cond(
        orientation == UPRIGHT,
        lambda: image,
        lambda: _turn(image, rows_flipped, columns_flipped, turned),
    )
    return tf.ensure_shape(image, (*target, 3))


def _read_orientation(content: Any) -> Any:
    """Returns int32, 1 to 8; Python is asked only where there is an EXIF segment."""
    head = tf.strings.substr(content, 0, _HEAD_BYTES)
    without = tf.strings.regex_replace(head, "Exif", "", replace_global=False)
    return tf.cond(
        tf.strings.length(without) < tf.strings.length(head),
        lambda: call_python(
            lambda head: np.int32(read_jpeg_orientation(head)),
            head,
            dtype=tf.int32,
            shape=(),
        ),
        lambda: tf.constant(UPRIGHT),
    )


def _describe_turn(orientation: Any) -> tuple[Any, Any, Any]:
    """Returns whether a viewer flips rows, flips columns and then transposes."""
    # In the order of the orientations, 1 to 8.
    turns = tf.constant(
        [
            [False, False, True, True, False, True, True, False],
            [False, True, True, False, False, False, True, True],
            [False, False, False, False, True, True, True, True],
        ]
    )
    rows_flipped, columns_flipped, transposed = tf.unstack(turns[:, orientation - 1])
    return rows_flipped, columns_flipped, transposed


def _turn(image: Any, rows_flipped: Any, columns_flipped: Any, turned: Any) -> Any:
    image = tf.cond(rows_flipped, lambda: tf.reverse(image, [0]), lambda: image)
    flipped = tf.cond(columns_flipped, lambda: tf.reverse(image, [1]), lambda: image)
    return tf.cond(turned, lambda: tf.transpose(flipped, (1, 0, 2)), lambda: flipped)


def _decode_scaled(content: Any, corner: Any, extent: Any, shape: Any) -> Any:
    """Returns uint8 `(*shape, 3)`: a window of the stored image."""
    factor = tf.reduce_min(tf.cast(extent, tf.float32) / tf.cast(shape, tf.float32))
    halvings = tf.math.count_nonzero(factor >= tf.constant(_FACTORS), dtype=tf.int32)
    ratio = tf.bitwise.left_shift(1, halvings)
    # The reduced image's pixels that the window touches.
    first = corner // ratio
    crop = tf.concat([first, -(-(corner + extent) // ratio) - first], axis=0)

    def decode(ratio: int) -> Any:
        return tf.io.decode_and_crop_jpeg(
            content, crop, channels=3, ratio=ratio, dct_method=_DCT_METHOD
        )

    branches = [lambda ratio=2**count: decode(ratio) for count in range(_HALVINGS)]
    window = tf.concat([corner, extent], axis=0)
    box = tf.cast(window, tf.float32) / tf.cast(ratio, tf.float32)
    box -= tf.cast(tf.pad(first, [[0, 2]]), tf.float32)
    return resize_box(tf.switch_case(halvings, branches), box, shape)
