"""Random erasing: a rectangle of an image is painted over."""

import math
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from experiments.data.augment.boxes import fill_boxes
from experiments.data.pipeline.sample_keys import derive_key, draw_uniform

_ATTEMPTS = 10
# The random numbers of an image: three, then one an attempt for area and for ratio.
_WHETHER, _TOP, _LEFT, _AREA = range(4)
_RATIO = _AREA + _ATTEMPTS
_DRAWS = _RATIO + _ATTEMPTS
_NOISE = 2**16  # the number from which a key is drawn for the noise


class RandomErasing:
    """Paints over a rectangle of some images.

    Of ten rectangles drawn the first that is smaller than the image is taken; when none
    is, the image stays.

    Args:
        probability: Of an image to lose one.
        area: Smallest and largest share of the image's area, uniform between.
        ratio: Smallest and largest height / width, uniform in its logarithm.
        fill: 0..255, or `noise`: every value random.

    Reference:
        Zhong et al. (2017), Random Erasing Data Augmentation, arXiv:1708.04896; the
        ratio as in torchvision. The noise is uniform and of the image as it is read,
        where timm's is normal and of the normalised one.
    """

    def __init__(
        self,
        *,
        probability: float,
        area: Sequence[float],
        ratio: Sequence[float],
        fill: int | str,
    ) -> None:
        self.probability = probability
        self.area = (float(area[0]), float(area[1]))
        self.ratio = (float(ratio[0]), float(ratio[1]))
        self.fill = fill

    def __call__(self, images: Any, keys: Any) -> Any:
        """Returns uint8 `(B, H, W, C)`; see `Augment`."""
        inside = self._place(keys, tuple(images.shape[1:3]))
        chosen = tf.where(tf.reduce_any(inside[0], axis=1))  # (E, 1)
        parts = (images, keys, *inside)
        part, own, rows, columns = (tf.gather_nd(each, chosen) for each in parts)
        erased = fill_boxes(part, self._paint(part, own), rows, columns)
        return tf.tensor_scatter_nd_update(images, chosen, erased)

    def _place(self, keys: Any, size: tuple[int, int]) -> tuple[Any, Any]:
        """Returns the rows `(B, H)` and columns `(B, W)` painted over, bool."""
        draws = draw_uniform(keys[:, None], tf.range(_DRAWS)[None])
        height, width = size
        share = draws[:, _AREA:_RATIO] * (self.area[1] - self.area[0]) + self.area[0]
        low, high = math.log(self.ratio[0]), math.log(self.ratio[1])
        ratio = tf.exp(draws[:, _RATIO:] * (high - low) + low)
        area = share * (height * width)
        drawn = tf.round(tf.stack([tf.sqrt(area * ratio), tf.sqrt(area / ratio)], 2))
        fits = tf.reduce_all(drawn < (height, width), axis=2)
        first = tf.gather(drawn, tf.argmax(fits, axis=1), axis=1, batch_dims=1)
        happens = draws[:, _WHETHER] < self.probability
        window = tf.where((happens & tf.reduce_any(fits, axis=1))[:, None], first, 0)
        room = tf.constant((height, width), tf.float32) - window + 1
        corner = tf.floor(draws[:, _TOP:_AREA] * room)
        rows = _between(corner[:, :1], window[:, :1], height)
        columns = _between(corner[:, 1:], window[:, 1:], width)
        return rows, columns

    def _paint(self, images: Any, keys: Any) -> Any:
        """Returns what stands in the rectangles, uint8."""
        if not isinstance(self.fill, str):
            return tf.fill(tf.shape(images), tf.cast(self.fill, tf.uint8))
        # A key gives eight bytes.
        count = math.prod(images.shape[1:])
        words = tf.range(-(-count // 8), dtype=tf.int64)[None]
        bits = derive_key(derive_key(keys, _NOISE)[:, None], words)
        values = tf.reshape(tf.bitcast(bits, tf.uint8), (-1, words.shape[1] * 8))
        return tf.reshape(values[:, :count], tf.shape(images))


def _between(first: Any, length: Any, size: int) -> Any:
    """Returns bool `(B, size)`: true for `length` places from `first` on."""
    places = tf.range(size, dtype=tf.float32)[None]
    return (places >= first) & (places < first + length)
