"""The grey of colours, as Pillow computes it."""

from typing import Any

import tensorflow as tf

from experiments.counts import count_of
from experiments.errors import DataError

_WEIGHTS = (19595.0, 38470.0, 7471.0)  # of 65536: ITU-R 601-2 luma


def to_grey(images: Any) -> Any:
    """Returns uint8 `(B, H, W, 1)`; an image of one channel is grey already.

    Args:
        images: uint8 `(B, H, W, C)`.

    Raises:
        DataError: They have neither one channel nor three.
    """
    channels = images.shape[-1]
    if channels == 1:
        return images
    if channels != 3:
        raise DataError(
            "An augmentation of colours needs images of 1 or 3 channels. Received: "
            f"{count_of(channels, 'channel')}. Leave it out of augment."
        )
    planes = tf.unstack(tf.cast(images, tf.float32), axis=-1)
    # Whole numbers below 2^24, which float32 adds without rounding.
    total = sum(weight * plane for weight, plane in zip(_WEIGHTS, planes, strict=True))
    return tf.cast((total + 0x8000) / 65536, tf.uint8)[..., None]
