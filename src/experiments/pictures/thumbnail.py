"""Images as small files, for pages that hold all that they show."""

import io
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

_LARGEST = 280  # pixels a side
_SMALL = 64  # pixels a side, below which an image is shown as blocks


def draw_thumbnail(pixels: npt.NDArray[np.uint8], *, largest: int = _LARGEST) -> bytes:
    """Returns an image as a PNG file where it is tiny, else as a JPEG file.

    Args:
        pixels: uint8 `(H, W, C)` of one or three channels.
        largest: Pixels a side that it has at most.
    """
    image = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
    content = io.BytesIO()
    if is_tiny(pixels):
        image.save(content, format="png")
    else:
        image.thumbnail((largest, largest))
        image.save(content, format="jpeg", quality=85)
    return content.getvalue()


def is_tiny(pixels: npt.NDArray[Any]) -> bool:
    """Tells whether images `(..., H, W, C)` are best shown as blocks."""
    return max(pixels.shape[-3:-1]) < _SMALL
