"""Turns one image file into uint8 pixels of the wanted shape.

The content decides the format, not the name. EXIF orientation is ignored, as
TensorFlow does; alpha is dropped, 16-bit PNG is cut to 8 bits, of a GIF the first
frame is taken; greyscale, palette and CMYK become RGB.
"""

from typing import Any

import tensorflow as tf

from experiments.data.augment.augment import CropAugment
from experiments.data.resize import resize_images

# The accurate inverse transform: the fast one saves nothing with current libraries.
_DCT_METHOD = "INTEGER_ACCURATE"


def decode_image(
    content: Any,
    *,
    image_shape: tuple[int, int, int],
    crop_ratio: float,
    crop: CropAugment | None = None,
    draws: Any = None,
) -> Any:
    """Decodes a window of an image and scales it; of a JPEG only the window.

    Args:
        content: Scalar string, the file's bytes.
        image_shape: `(H, W, C)` to return; one channel is luminance.
        crop_ratio: Share of the shorter side that the central window has.
        crop: Places a random window in place of the central one.
        draws: Float32 `(K,)`, what `crop.draw` returned for this image.

    Returns:
        uint8 `(H, W, C)`.
    """

    def choose_window(size: Any) -> Any:
        if crop is None:
            return _central_window(size, crop_ratio, image_shape)
        return crop.place_windows(size[None], draws[None])[0]

    window = tf.cond(
        tf.io.is_jpeg(content),
        lambda: _decode_jpeg_window(content, choose_window),
        lambda: _decode_whole(content, choose_window),
    )
    window.set_shape((None, None, 3))
    image = resize_images(window, image_shape[:2])
    image = tf.ensure_shape(image, (*image_shape[:2], 3))
    if crop is not None:
        mirrored = crop.choose_mirrored(draws[None])[0]
        # A negative stride in a slice is ten times slower than `reverse`.
        image = tf.cond(mirrored, lambda: tf.reverse(image, [1]), lambda: image)
    return image if image_shape[2] == 3 else tf.image.rgb_to_grayscale(image)


def _central_window(
    size: Any, crop_ratio: float, image_shape: tuple[int, int, int]
) -> Any:
    """Returns top, left, height, width of the largest window of the wanted aspect."""
    height, width = image_shape[:2]
    available = tf.cast(size, tf.float32)
    scale = crop_ratio * tf.minimum(available[0] / height, available[1] / width)
    window = tf.cast(
        tf.round(scale * tf.constant([height, width], tf.float32)), tf.int32
    )
    window = tf.clip_by_value(window, 1, size)
    return tf.concat([(size - window) // 2, window], axis=0)


def _decode_jpeg_window(content: Any, choose_window: Any) -> Any:
    size = tf.io.extract_jpeg_shape(content)[:2]
    return tf.io.decode_and_crop_jpeg(
        content, choose_window(size), channels=3, dct_method=_DCT_METHOD
    )


def _decode_whole(content: Any, choose_window: Any) -> Any:
    image = tf.io.decode_image(content, channels=3, expand_animations=False)
    top, left, height, width = tf.unstack(choose_window(tf.shape(image)[:2]))
    return image[top : top + height, left : left + width]
