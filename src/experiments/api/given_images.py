"""Images as somebody at a notebook has them: an array, or files."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from experiments.data.files.asked.inputs import check_inputs, list_inputs
from experiments.errors import DataError
from experiments.trained.reading import read_for
from experiments.trained.trained import Trained

Given = str | Path | Sequence[str | Path] | npt.NDArray[Any]


def read_given(
    images: Given, trained: Trained
) -> tuple[npt.NDArray[np.uint8], list[str]]:
    """Returns images as a model takes them, and what to call each.

    Args:
        images: uint8 `(N, H, W, C)` or one `(H, W, C)`, of the model's shape; or files,
            folders or patterns, which are read as those that it was trained on.
        trained: The model, with its framework set up.

    Raises:
        DataError: The array has another shape or type, or a file cannot be read.
    """
    if isinstance(images, np.ndarray):
        return _check(images, trained.image_shape)
    listed = [images] if isinstance(images, str | Path) else images
    named = [str(Path(name).expanduser()) for name in listed]
    check_inputs(named)
    return _read(list(list_inputs(named, ())), trained)


def _check(
    images: npt.NDArray[Any], shape: tuple[int, int, int]
) -> tuple[npt.NDArray[np.uint8], list[str]]:
    batch = images[None] if images.ndim == 3 else images
    if batch.dtype != np.uint8 or batch.shape[1:] != shape or not len(batch):
        height, width, channels = shape
        raise DataError(
            f"The model takes uint8 images of shape (N, {height}, {width}, "
            f"{channels}). Received: {images.dtype} of shape {images.shape}. Files may "
            "have any size: give their names."
        )
    return batch, [f"image {number}" for number in range(len(batch))]


def _read(
    paths: Sequence[str], trained: Trained
) -> tuple[npt.NDArray[np.uint8], list[str]]:
    pixels = []
    for image in read_for(trained, paths):
        if image.pixels is None:
            raise DataError(f"{image.path} {image.fault}.")
        pixels.append(image.pixels)
    return np.stack(pixels), list(paths)
