"""A random part of the image at random proportions, the ImageNet augmentation."""

import math
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from experiments.data.images.resize import round_to_uint8
from experiments.data.pipeline.sample_keys import draw_uniform

_ATTEMPTS = 10
# The random numbers of an image: three, then one an attempt for area and for ratio.
_TOP, _LEFT, _FLIP, _AREA = range(4)
_RATIO = _AREA + _ATTEMPTS
_DRAWS = _RATIO + _ATTEMPTS


class InceptionCrop:
    """Cuts a random window, scales it to the full size, mirrors half of the images.

    Of ten windows drawn the first that fits into the image is taken; when none does,
    the largest central window of permitted proportions. The window is cut out first and
    scaled by itself, bilinearly with half-pixel centres.

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
        draws = self.draw(keys)
        count = tf.shape(keys)[0]
        size = tf.constant(tuple(images.shape[1:3]), tf.int32)
        windows = self.place_windows(tf.tile(size[None], (count, 1)), draws)
        boxes = _place_boxes(windows, size)
        # A box whose left and right are swapped comes out mirrored.
        swapped = tf.gather(boxes, (0, 3, 2, 1), axis=1)
        boxes = tf.where(self.choose_mirrored(draws)[:, None], swapped, boxes)
        framed = _repeat_edges(images, windows)
        scaled = tf.image.crop_and_resize(framed, boxes, tf.range(count), size)
        return round_to_uint8(tf.ensure_shape(scaled, images.shape))

    def draw(self, keys: Any) -> Any:
        """Returns float32 `(B, 23)`; see `CropAugment`."""
        return draw_uniform(keys[:, None], tf.range(_DRAWS)[None])

    def place_windows(self, sizes: Any, draws: Any) -> Any:
        """Returns int32 `(B, 4)`; see `CropAugment`."""
        available = tf.cast(sizes, tf.float32)
        window, fits = self._first_fitting(available, draws)
        window = tf.where(fits, window, self._largest(available))
        room = available - window
        drawn = draws[:, _TOP:_FLIP] * (room + 1)
        corner = tf.floor(tf.where(fits, drawn, room / 2))
        return tf.cast(tf.concat([corner, window], axis=1), tf.int32)

    def choose_mirrored(self, draws: Any) -> Any:
        """Returns bool `(B,)`; see `CropAugment`."""
        return draws[:, _FLIP] < (0.5 if self.flip else 0.0)

    def _first_fitting(self, available: Any, draws: Any) -> tuple[Any, Any]:
        """Returns the first drawn height and width that fit, and whether any do."""
        share = _between(draws[:, _AREA:_RATIO], self.area)
        logs = (math.log(self.ratio[0]), math.log(self.ratio[1]))
        ratio = tf.exp(_between(draws[:, _RATIO:], logs))
        area = share * tf.reduce_prod(available, axis=1, keepdims=True)
        drawn = tf.stack([tf.sqrt(area / ratio), tf.sqrt(area * ratio)], axis=2)
        drawn = tf.maximum(tf.round(drawn), 1)  # (B, 10, 2)
        fits = tf.reduce_all(drawn <= available[:, None], axis=2)
        first = tf.argmax(fits, axis=1)  # 0 when none fits
        chosen = tf.gather(drawn, first, axis=1, batch_dims=1)
        return chosen, tf.reduce_any(fits, axis=1, keepdims=True)

    def _largest(self, available: Any) -> Any:
        """Returns the largest permitted height and width, float32 `(B, 2)`."""
        height, width = available[:, 0], available[:, 1]
        window = tf.stack(
            [
                tf.minimum(height, width / self.ratio[0]),
                tf.minimum(width, height * self.ratio[1]),
            ],
            axis=1,
        )
        return tf.clip_by_value(tf.round(window), 1, available)


def _between(numbers: Any, limits: tuple[float, float]) -> Any:
    return limits[0] + numbers * (limits[1] - limits[0])


def _repeat_edges(images: Any, windows: Any) -> Any:
    """Returns the images with a pixel more on each side and each window framed.

    Around the window stand the pixels of its own edges: the outermost samples lie up to
    half a pixel outside it and must see nothing else.

    Args:
        images: uint8 `(B, H, W, C)`.
        windows: int32 `(B, 4)`: top, left, height, width.

    Returns:
        uint8 `(B, H + 2, W + 2, C)`.
    """
    height, width, channels = images.shape[1:]
    first, last = windows[:, :2], windows[:, :2] + windows[:, 2:] - 1
    rows = tf.maximum(tf.range(-1, height + 1), first[:, :1])
    rows = tf.minimum(rows, last[:, :1])  # (B, H + 2)
    framed = tf.gather(images, rows, axis=1, batch_dims=1)
    # Gathering all columns like the rows would take as long as the whole crop.
    edges = tf.stack([first[:, 1], last[:, 1]], axis=1)
    edges = tf.gather(framed, edges, axis=2, batch_dims=1)  # (B, H + 2, 2, C)
    framed = tf.pad(framed, ((0, 0), (0, 0), (1, 1), (0, 0)))
    beside = tf.stack([first[:, 1], last[:, 1] + 2], axis=1)  # counted with the margin
    lines = tf.range(tf.size(rows)) * (width + 2)
    places = tf.reshape(lines, (-1, height + 2, 1)) + beside[:, None]
    pixels = tf.tensor_scatter_nd_update(
        tf.reshape(framed, (-1, channels)),
        tf.reshape(places, (-1, 1)),
        tf.reshape(edges, (-1, channels)),
    )
    return tf.reshape(pixels, tf.shape(framed))


def _place_boxes(windows: Any, size: Any) -> Any:
    """Returns the boxes that make `crop_and_resize` sample at half-pixel centres.

    It puts its first and last sample on the box's edges, in units of the size less one,
    here that of the framed images.
    """
    window = tf.cast(windows[:, 2:], tf.float32)
    first = tf.cast(windows[:, :2] + 1, tf.float32)
    full = tf.cast(size, tf.float32)
    inset = (window / full - 1) / 2
    return tf.concat([first + inset, first + window - 1 - inset], axis=1) / tf.tile(
        full + 1, [2]
    )
