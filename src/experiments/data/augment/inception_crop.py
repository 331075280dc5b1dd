"""A random part of the image at random proportions, the ImageNet augmentation."""

import math
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from experiments.data.resize import round_to_uint8
from experiments.data.sample_keys import draw_uniform

_ATTEMPTS = 10
# Numbers of the draws; each attempt takes one of area and one of ratio.
_TOP, _LEFT, _FLIP, _AREA, _RATIO = 0, 1, 2, 3, 3 + _ATTEMPTS


class InceptionCrop:
    """Cuts a random window, scales it to the full size, mirrors half of the images.

    Of ten windows drawn the first that fits into the image is taken; when none does,
    the largest central window of permitted proportions.

    Args:
        area: Smallest and largest share of the image's area, uniform between.
        ratio: Smallest and largest width / height, uniform in its logarithm.
        flip: Mirror left to right with probability 1/2.

    Reference:
        Szegedy et al. (2015), Going Deeper with Convolutions, section 6. The
        logarithm and the ten attempts are what PyTorch's recipe made customary.
    """

    def __init__(
        self, *, area: Sequence[float], ratio: Sequence[float], flip: bool
    ) -> None:
        self.area = (float(area[0]), float(area[1]))
        self.ratio = (float(ratio[0]), float(ratio[1]))
        self.flip = flip

    def __call__(self, images: Any, keys: Any) -> Any:
        """Returns uint8 `(B, H, W, C)`; see `Augment`."""
        count = tf.shape(keys)[0]
        size = tf.constant(tuple(images.shape[1:3]), tf.int32)
        windows = self.draw_windows(tf.tile(size[None], (count, 1)), keys)
        boxes = _sampled_box(windows, size)
        scaled = tf.image.crop_and_resize(images, boxes, tf.range(count), size)
        scaled = tf.ensure_shape(scaled, images.shape)
        return self.finish(round_to_uint8(scaled), keys)

    def draw_windows(self, sizes: Any, keys: Any) -> Any:
        """Returns int32 `(B, 4)`; see `CropAugment`."""
        attempts = tf.range(_ATTEMPTS)[None]
        share = _between(draw_uniform(keys[:, None], _AREA + attempts), self.area)
        logs = (math.log(self.ratio[0]), math.log(self.ratio[1]))
        ratio = tf.exp(_between(draw_uniform(keys[:, None], _RATIO + attempts), logs))
        available = tf.cast(sizes, tf.float32)
        area = share * tf.reduce_prod(available, axis=1, keepdims=True)
        drawn = tf.stack([tf.sqrt(area / ratio), tf.sqrt(area * ratio)], axis=2)
        drawn = tf.cast(tf.round(drawn), tf.int32)  # (B, 10, 2)
        fits = tf.reduce_all((drawn >= 1) & (drawn <= sizes[:, None]), axis=2)
        first = tf.argmax(fits, axis=1)  # 0 when none fits
        chosen = tf.gather(drawn, first, axis=1, batch_dims=1)
        found = tf.reduce_any(fits, axis=1)
        chosen = tf.where(found[:, None], chosen, self._largest(available))
        place = tf.stack([draw_uniform(keys, _TOP), draw_uniform(keys, _LEFT)], axis=1)
        place = tf.where(found[:, None], place, tf.fill(tf.shape(place), 0.5))
        room = tf.cast(sizes - chosen + 1, tf.float32)
        corner = tf.minimum(tf.cast(place * room, tf.int32), sizes - chosen)
        return tf.concat([corner, chosen], axis=1)

    def finish(self, images: Any, keys: Any) -> Any:
        """Returns the images, half of them mirrored; see `CropAugment`."""
        if not self.flip:
            return images
        mirrored = draw_uniform(keys, _FLIP) < 0.5
        return tf.where(mirrored[:, None, None, None], images[:, :, ::-1], images)

    def _largest(self, available: Any) -> Any:
        """Returns the largest permitted height and width, int32 `(B, 2)`."""
        height, width = available[:, 0], available[:, 1]
        window = tf.stack(
            [
                tf.minimum(height, width / self.ratio[0]),
                tf.minimum(width, height * self.ratio[1]),
            ],
            axis=1,
        )
        return tf.cast(tf.clip_by_value(tf.round(window), 1, available), tf.int32)


def _between(numbers: Any, limits: tuple[float, float]) -> Any:
    return limits[0] + numbers * (limits[1] - limits[0])


def _sampled_box(windows: Any, size: Any) -> Any:
    """Returns the boxes that make `crop_and_resize` sample at half-pixel centres.

    It puts its first and last sample on the box's edges, in units of `size - 1`.
    """
    corner = tf.cast(windows[:, :2], tf.float32)
    window = tf.cast(windows[:, 2:], tf.float32)
    full = tf.cast(size, tf.float32)
    inset = (window / full - 1) / 2
    first = tf.clip_by_value(corner + inset, 0, full - 1)
    last = tf.clip_by_value(corner + window - 1 - inset, 0, full - 1)
    return tf.concat([first, last], axis=1) / tf.tile(tf.maximum(full - 1, 1), [2])
