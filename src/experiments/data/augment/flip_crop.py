"""Random shifts and mirroring, the augmentation of the CIFAR experiments."""

from typing import Any

import tensorflow as tf

from experiments.data.pipeline.sample_keys import draw_uniform


class FlipCrop:
    """Pads with black, cuts a random window of the old size, mirrors half of them.

    Args:
        pad: Pixels on each side; the window moves by up to as much. 0 shifts nothing.
        flip: Mirror left to right with probability 1/2.

    Reference:
        He et al. (2015), Deep Residual Learning for Image Recognition, section 4.2:
        4 pixels on 32 x 32. There the padding is the mean, here it is black.
    """

    def __init__(self, *, pad: int, flip: bool) -> None:
        self.pad = pad
        self.flip = flip

    def __call__(self, images: Any, keys: Any) -> Any:
        """Returns uint8 `(B, H, W, C)`; see `Augment`."""
        height, width = images.shape[1:3]
        rows = self._offsets(keys, 0) + tf.range(height)
        columns = tf.range(width)[None]
        if self.flip:
            mirrored = draw_uniform(keys, 2)[:, None] < 0.5
            columns = tf.where(mirrored, columns[:, ::-1], columns)
        columns = self._offsets(keys, 1) + columns
        margins = (self.pad, self.pad)
        images = tf.pad(images, ((0, 0), margins, margins, (0, 0)))
        images = tf.gather(images, rows, axis=1, batch_dims=1)
        return tf.gather(images, columns, axis=2, batch_dims=1)

    def _offsets(self, keys: Any, number: int) -> Any:
        """Returns int32 `(B, 1)` in 0..2 * pad."""
        places = 2 * self.pad + 1
        return tf.cast(draw_uniform(keys, number) * places, tf.int32)[:, None]
