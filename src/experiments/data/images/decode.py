"""Turns one image file into uint8 pixels of the wanted shape, as a viewer shows it.

Training, evaluation, prediction and whatever serves a model read files by this one
function. The content decides the format, not the name.
"""

from typing import Any

import tensorflow as tf

from experiments.data.augmentation import CropAugment
from experiments.data.images.background import WHITE, Colour
from experiments.data.images.image_size import MAX_PIXELS
from experiments.data.images.jpeg_window import decode_jpeg_window
from experiments.data.images.pixels import read_pixels
from experiments.data.images.python_call import call_python
from experiments.data.images.resize import resize_box

# Of the JPEGs that TensorFlow reads as a viewer does: it takes CMYK for not inverted.
_MOST_CHANNELS = 3
_NO_JPEG = (0, 0, _MOST_CHANNELS + 1)
# At an eighth of the size all data are read, in a fraction of the time.
_REDUCTION = 8


def decode_image(
    content: Any,
    *,
    image_shape: tuple[int, int, int],
    crop_ratio: float,
    background: Colour = WHITE,
    max_pixels: int = MAX_PIXELS,
    crop: CropAugment | None = None,
    draws: Any = None,
) -> Any:
    """Decodes a window of an image and scales it; of a JPEG only the window.

    EXIF orientation is applied, what is transparent shows the background, of an
    animation the first frame is taken, shrinking is antialiased; greyscale, palette,
    CMYK and 16 bits become 8-bit RGB.

    TensorFlow decodes plain JPEGs, of which it can leave out what lies outside of the
    window, and Pillow the rest (`experiments.data.images.pixels`).

    Args:
        content: The file's bytes, or a scalar string of them.
        image_shape: `(H, W, C)` to return; one channel is luminance.
        crop_ratio: Share of the shorter side that the central window has.
        background: Red, green and blue behind what is transparent, 0 to 255.
        max_pixels: A file that declares more is not decoded.
        crop: Places a random window in place of the central one.
        draws: Float32 `(K,)`, what `crop.draw` returned for this image.

    Returns:
        uint8 `(H, W, C)`.

    Raises:
        tf.errors.InvalidArgumentError: The file is damaged, too large or of another
            format.
    """
    content = tf.convert_to_tensor(content)
    target = image_shape[:2]

    def choose_window(size: Any) -> Any:
        if crop is None:
            return central_window(size, crop_ratio, image_shape)
        return crop.place_windows(size[None], draws[None])[0]

    shape = _read_jpeg_shape(content)
    # Pillow's reader refuses what is too large.
    pixels = tf.reduce_prod(tf.cast(shape[:2], tf.int64))
    image = tf.cond(
        (shape[2] <= _MOST_CHANNELS) & (pixels <= max_pixels),
        lambda: decode_jpeg_window(content, shape[:2], choose_window, target),
        lambda: _decode_whole(content, choose_window, target, background, max_pixels),
    )
    image = tf.ensure_shape(image, (*target, 3))
    if crop is not None:
        mirrored = crop.choose_mirrored(draws[None])[0]
        # A negative stride in a slice is ten times slower than `reverse`.
        image = tf.cond(mirrored, lambda: tf.reverse(image, [1]), lambda: image)
    return image if image_shape[2] == 3 else tf.image.rgb_to_grayscale(image)


def find_decoding_fault(content: bytes, max_pixels: int = MAX_PIXELS) -> str | None:
    """Reads the whole of an image file and returns why that fails; half a sentence.

    A JPEG's decoder shows grey blocks for garbage in the middle, and no error: see
    `experiments.data.images.complaint`.
    """
    try:
        with tf.device("/CPU:0"):
            # In plain numbers: eager arithmetic would take as long as decoding.
            height, width, channels = _read_jpeg_shape(content).numpy().tolist()
            if channels <= _MOST_CHANNELS and height * width <= max_pixels:
                tf.io.decode_jpeg(content, channels=3, ratio=_REDUCTION)
            else:
                read_pixels(content, max_pixels=max_pixels)
    except tf.errors.InvalidArgumentError:
        return "is damaged: it does not decode"
    except ValueError as error:
        reason = str(error.__cause__ or error).rstrip(".")
        return f"is damaged: it does not decode ({reason})"
    return None


def _read_jpeg_shape(content: Any) -> Any:
    """Returns int32 height, width and channels; more channels for other formats."""
    return tf.cond(
        tf.io.is_jpeg(content),
        lambda: tf.io.extract_jpeg_shape(content),
        lambda: tf.constant(_NO_JPEG),
    )


def central_window(
    size: Any, crop_ratio: float, image_shape: tuple[int, int, int]
) -> Any:
    """Returns the largest central window of the wanted aspect.

    Args:
        size: int32 `(2,)`: height and width of the image.
        crop_ratio: Share of the shorter side that the window has.
        image_shape: `(H, W, C)` that it is scaled to.

    Returns:
        int32 `(4,)`: top, left, height and width.
    """
    height, width = image_shape[:2]
    available = tf.cast(size, tf.float32)
    scale = crop_ratio * tf.minimum(available[0] / height, available[1] / width)
    window = tf.cast(
        tf.round(scale * tf.constant([height, width], tf.float32)), tf.int32
    )
    window = tf.clip_by_value(window, 1, size)
    return tf.concat([(size - window) // 2, window], axis=0)


def _decode_whole(
    content: Any,
    choose_window: Any,
    target: tuple[int, int],
    background: Colour,
    max_pixels: int,
) -> Any:
    """Returns uint8 `(*target, 3)`: a window of an image that Pillow reads."""
    image = call_python(
        lambda content: read_pixels(content, background, max_pixels),
        content,
        dtype=tf.uint8,
        shape=(None, None, 3),
    )
    return scale_window(image, choose_window(tf.shape(image)[:2]), target)


def scale_window(image: Any, window: Any, target: tuple[int, int]) -> Any:
    """Returns uint8 `(*target, C)`: a window of an image, scaled.

    Args:
        image: uint8 `(H, W, C)`.
        window: int32 `(4,)`: top, left, height and width.
        target: Height and width to scale it to.
    """
    top, left, height, width = tf.unstack(window)
    part = image[top : top + height, left : left + width]
    box = tf.cast(tf.concat([(0, 0), window[2:]], axis=0), tf.float32)
    return resize_box(part, box, tf.constant(target))
