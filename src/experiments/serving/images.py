"""What a request brings, as images in the form that a model takes.

A model that is served takes this module along, see `experiments.serving.vendored`: it
imports nothing else of this project than what reads images.
"""

import base64
import binascii
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from experiments.data.images.complaint import find_complaint
from experiments.data.images.decode import decode_image, find_decoding_fault
from experiments.data.images.image_header import find_fault
from experiments.data.images.image_size import read_pixel_count
from experiments.serving.names import COLUMN, WANTED
from experiments.serving.refused import RefusedError

_DATA_ADDRESS = re.compile(r"data:[^,]{0,100},")


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What is refused before it is decoded.

    Attributes:
        max_pixels: Of an image, by its header.
        max_bytes: Of an image's file.
        max_images: Of a request.
    """

    max_pixels: int
    max_bytes: int
    max_images: int


class ImageReader:
    """Reads images as the model's training did, and refuses what is none.

    Args:
        image_shape: `(H, W, C)` to deliver.
        crop_ratio: Share of a file's shorter side that the central window has.
        background: Behind what is transparent: red, green, blue.
        limits: What is refused.
    """

    def __init__(
        self,
        *,
        image_shape: tuple[int, int, int],
        crop_ratio: float,
        background: tuple[int, int, int],
        limits: Limits,
    ) -> None:
        self.image_shape = image_shape
        self.limits = limits

        @tf.function(input_signature=[tf.TensorSpec((), tf.string)])
        def decode(content: Any) -> Any:
            return decode_image(
                content,
                image_shape=image_shape,
                crop_ratio=crop_ratio,
                background=background,
                max_pixels=limits.max_pixels,
            )

        self._decode = decode

    def read(self, cell: Any) -> npt.NDArray[np.uint8]:
        """Returns uint8 `(H, W, C)`.

        Args:
            cell: A file's bytes, the same in base64, or an array.

        Raises:
            RefusedError: It is no usable image.
        """
        if isinstance(cell, str):
            return self._read_file(self._decode_text(cell))
        if isinstance(cell, bytes):
            return self._read_file(cell)
        return self._read_array(cell)

    def _decode_text(self, text: str) -> bytes:
        # Four letters are three bytes; a line of 76 letters may end in two more.
        if len(text) > self.limits.max_bytes * 1.4 + 200:
            raise RefusedError(self._describe_bytes())
        start = _DATA_ADDRESS.match(text)
        letters = "".join(text[start.end() if start else 0 :].split())
        try:
            return base64.b64decode(letters, validate=True)
        except (binascii.Error, ValueError):
            raise RefusedError("is no base64") from None

    def _read_file(self, content: bytes) -> npt.NDArray[np.uint8]:
        if len(content) > self.limits.max_bytes:
            raise RefusedError(self._describe_bytes())
        fault = find_fault(content, content, len(content)) or self._find_excess(content)
        if fault := fault or find_complaint(content):
            raise RefusedError(fault)
        try:
            with tf.device("/CPU:0"):
                pixels: npt.NDArray[np.uint8] = self._decode(content).numpy()
        except tf.errors.OpError:
            told = find_decoding_fault(content, self.limits.max_pixels)
            raise RefusedError(told or "is damaged: it does not decode") from None
        return pixels

    def _describe_bytes(self) -> str:
        return f"has more than {self.limits.max_bytes:,} bytes"

    def _find_excess(self, content: bytes) -> str | None:
        pixels = read_pixel_count(io.BytesIO(content))
        if pixels is None:
            return "is damaged: its header states no size"
        if pixels > self.limits.max_pixels:
            return f"has {pixels:,} pixels, more than {self.limits.max_pixels:,}"
        return None

    def _read_array(self, cell: Any) -> npt.NDArray[np.uint8]:
        height, width, channels = self.image_shape
        try:
            array = np.asarray(cell)
        except ValueError:  # rows of unequal lengths
            array = np.asarray(None)
        if array.dtype == object and array.ndim:  # arrays in arrays, of a table
            array = _stack(array)
        if array.dtype.kind not in "iu":
            raise RefusedError("is neither base64 text nor an array of whole numbers")
        if channels == 1 and array.shape == (height, width):
            array = array[..., None]
        if array.shape != self.image_shape:
            raise RefusedError(
                f"is an array of another shape than {list(self.image_shape)}"
            )
        if array.min() < 0 or array.max() > 255:
            raise RefusedError("has numbers beyond 0 to 255")
        return array.astype(np.uint8)


def _stack(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    try:
        return np.asarray(array.tolist())
    except ValueError:
        return np.asarray(None)


def list_cells(given: Any, *, most: int) -> list[Any]:
    """Returns the images of a request, in their order and not looked at yet.

    Args:
        given: What MLflow hands over: a table or mapping with the column `image`, or
            an array `(B, H, W, C)`.
        most: More are refused.

    Raises:
        RefusedError: There are none, or too many.
    """
    column = given
    if isinstance(given, Mapping) or hasattr(given, "columns"):
        if COLUMN not in given:
            raise RefusedError(WANTED)
        column = given[COLUMN]
    if isinstance(column, str | bytes):
        column = [column]
    if not isinstance(column, Sequence | np.ndarray) and not hasattr(column, "tolist"):
        raise RefusedError(WANTED)
    cells = []
    for cell in _flatten(column):
        cells.append(cell)
        if len(cells) > most:
            raise RefusedError(f"A request has at most {most:,} images.")
    if not cells:
        raise RefusedError(WANTED)
    return cells


def _flatten(column: Any) -> Iterator[Any]:
    """Yields images; of `{"image": [...]}` in text MLflow makes one row with a list."""
    for cell in column:
        is_list = isinstance(cell, list | tuple)
        if is_list and all(isinstance(part, str) for part in cell):
            yield from cell
        else:
            yield cell
