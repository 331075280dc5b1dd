"""Reads JPEG and PNG files inside of a SavedModel, as the training's pipeline does.

All of it are operations of TensorFlow, for Python does not leave with a model; the
pipeline asks Pillow for PNGs and for the orientation in EXIF.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from experiments.data.images.background import Colour
from experiments.data.images.decode import central_window, decode_image, scale_window
from experiments.data.images.image_size import MAX_PIXELS
from experiments.data.images.jpeg_window import decode_jpeg_window
from experiments.export.bundle import FILES, encode_image
from experiments.export.parity import find_differences
from experiments.export.runtimes import Ask, load_encoded

# Scalar strings `(B,)` -> uint8 `(B, H, W, C)`.
Decode = Callable[[Any], Any]

_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_SIZE = 16  # where its width stands, and then its height, 4 bytes each
_PNG_DEPTH = 24
_MOST_CHANNELS = 3
_HEAD_BYTES = 2**16
# The entry of the orientation, 0x0112: one number of 16 bits, in either byte order.
_BIG = (0x01, 0x12, 0, 3, 0, 0, 0, 1, 0)
_LITTLE = (0x12, 0x01, 3, 0, 1, 0, 0, 0)
_EXIF = tuple(b"Exif\0\0")


def build_decoder(
    image_shape: tuple[int, int, int],
    *,
    crop_ratio: float,
    background: Colour,
    max_pixels: int = MAX_PIXELS,
) -> Decode:
    """Returns what reads files for a model.

    Args:
        image_shape: `(H, W, C)` of the model's images.
        crop_ratio: Share of the shorter side that the central window has.
        background: Behind what is transparent.
        max_pixels: A file that declares more is refused before it is decoded.

    Returns:
        A function of strings `(B,)` that gives uint8 `(B, H, W, C)`, and raises
        `InvalidArgumentError` for what is no JPEG or PNG, is damaged or is in CMYK.
    """
    target = image_shape[:2]

    def choose_window(size: Any) -> Any:
        return central_window(size, crop_ratio, image_shape)

    def decode_jpeg(content: Any) -> Any:
        shape = tf.io.extract_jpeg_shape(content)
        told = "A JPEG in CMYK: make it an RGB image."
        checks = [
            _refuse_excess(shape[:2], max_pixels),
            _require(shape[2] <= _MOST_CHANNELS, told),
        ]
        with tf.control_dependencies(checks):
            turned = find_orientation(tf.strings.substr(content, 0, _HEAD_BYTES))
        return decode_jpeg_window(
            content, shape[:2], choose_window, target, orientation=turned
        )

    def decode_png(content: Any) -> Any:
        is_png = tf.equal(tf.strings.substr(content, 0, len(_PNG)), _PNG)
        is_png &= tf.strings.length(content) > _PNG_DEPTH
        with tf.control_dependencies([_require(is_png, "Neither a JPEG nor a PNG.")]):
            header = tf.strings.substr(content, _PNG_SIZE, 8)
            size = tf.io.decode_raw(header, tf.int32, little_endian=False)[::-1]
        with tf.control_dependencies([_refuse_excess(size, max_pixels)]):
            image = tf.io.decode_png(content, channels=4)
            depth = tf.strings.substr(content, _PNG_DEPTH, 1)
        image = _mend_alpha(image, depth)
        image = _put_on_background(image, background)
        return scale_window(image, choose_window(tf.shape(image)[:2]), target)

    def decode_one(content: Any) -> Any:
        image = tf.cond(
            tf.io.is_jpeg(content),
            lambda: decode_jpeg(content),
            lambda: decode_png(content),
        )
        image = tf.ensure_shape(image, (*target, 3))
        return image if image_shape[2] == 3 else tf.image.rgb_to_grayscale(image)

    spec = tf.TensorSpec(image_shape, tf.uint8)
    return lambda encoded: tf.map_fn(decode_one, encoded, fn_output_signature=spec)


def compare_encoded(
    ask_model: Ask,
    path: Path,
    output: str,
    images: npt.NDArray[np.uint8],
    *,
    crop_ratio: float,
    background: Colour,
) -> float:
    """Asks a SavedModel about files of some images, which it reads itself.

    Args:
        ask_model: The model, which is asked about what the pipeline reads of them.
        path: Of the SavedModel.
        output: Name of the result.
        images: uint8 `(N, H, W, C)` of the model's size, from which files are made.
        crop_ratio: As `build_decoder` was told.
        background: Likewise.

    Returns:
        The largest difference, see `Parity`.
    """
    files = [encode_image(image, kind) for kind in FILES for image in images]
    read = [
        decode_image(
            file,
            image_shape=images.shape[1:],
            crop_ratio=crop_ratio,
            background=background,
        )
        for file in files
    ]
    wanted = np.asarray(ask_model(np.stack([np.asarray(one) for one in read])))
    given = load_encoded(path, output)(files)
    return float(find_differences(wanted, given).max(initial=0.0))


def find_orientation(head: Any) -> Any:
    """Returns the orientation that EXIF data tell, int32 of 1 to 8; 1 without any.

    Args:
        head: Scalar string, the beginning of a JPEG.
    """
    data = tf.cast(tf.io.decode_raw(head, tf.uint8), tf.int32)
    data = tf.pad(data, [[0, len(_BIG) + 1]])
    exif = _find(data, _EXIF)
    big, little = (_find(data, entry, after=exif) for entry in (_BIG, _LITTLE))
    place = tf.where(big < little, big + len(_BIG), little + len(_LITTLE))
    told = tf.pad(data, [[0, len(_BIG) + 1]])[place]
    is_known = (tf.minimum(big, little) < tf.size(data)) & (told >= 1) & (told <= 8)
    return tf.where(is_known, told, 1)


def _find(data: Any, pattern: tuple[int, ...], after: Any = 0) -> Any:
    """Returns where a pattern begins first, or the length of the data."""
    count = tf.size(data) - len(pattern) + 1
    matches = tf.range(count) >= after
    for offset, value in enumerate(pattern):
        matches &= tf.equal(data[offset : offset + count], value)
    first = tf.argmax(matches, output_type=tf.int32)
    return tf.where(tf.reduce_any(matches), first, tf.size(data))


def _refuse_excess(size: Any, max_pixels: int) -> Any:
    pixels = tf.reduce_prod(tf.cast(size, tf.int64))
    return _require(pixels <= max_pixels, f"More than {max_pixels:,} pixels.")


def _require(condition: Any, told: str) -> Any:
    """Returns an operation that fails, with a sentence and nothing of the input."""
    return tf.debugging.Assert(condition, [told])


def _mend_alpha(image: Any, depth: Any) -> Any:
    """Makes opaque what has no alpha: TensorFlow then takes the largest sample for 255.

    Of 1, 2 and 4 bits that is 1, 3 and 15, of which nothing would be seen.

    Args:
        image: uint8 `(H, W, 4)`.
        depth: String of one byte, the bits of a sample.
    """
    bits = tf.cast(tf.io.decode_raw(depth, tf.uint8)[0], tf.int32)
    largest = tf.bitwise.left_shift(1, tf.minimum(bits, 8)) - 1
    alpha = image[..., 3:]
    is_opaque = tf.reduce_all(tf.cast(alpha, tf.int32) == largest)
    alpha = tf.where(is_opaque, tf.constant(255, tf.uint8), alpha)
    return tf.concat([image[..., :3], alpha], axis=-1)


def _put_on_background(image: Any, background: Colour) -> Any:
    """Returns uint8 `(H, W, 3)` of uint8 `(H, W, 4)`, rounded."""
    colours = tf.cast(image[..., :3], tf.int32)
    alpha = tf.cast(image[..., 3:], tf.int32)
    behind = tf.constant(background, tf.int32)
    mixed = (colours * alpha + behind * (255 - alpha) + 127) // 255
    return tf.cast(mixed, tf.uint8)
