"""Images as somebody at a notebook has them: an array, or files."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from experiments.config.schema.run import RunConfig
from experiments.data.files.inputs import list_inputs
from experiments.data.images.background import WHITE, choose_colour
from experiments.errors import DataError

Given = str | Path | Sequence[str | Path] | npt.NDArray[Any]


def read_given(
    images: Given, run: RunConfig, image_shape: tuple[int, int, int]
) -> tuple[npt.NDArray[np.uint8], list[str]]:
    """Returns images as a model takes them, and what to call each.

    Args:
        images: uint8 `(N, H, W, C)` or one `(H, W, C)`, of the model's shape; or files,
            folders or patterns, which are read as the model's training read files.
        run: The model's config.
        image_shape: Its `(H, W, C)`.

    Raises:
        DataError: The array has another shape or type, or a file cannot be read.
    """
    if isinstance(images, np.ndarray):
        return _check(images, image_shape)
    listed = [images] if isinstance(images, str | Path) else images
    paths = list(list_inputs([str(each) for each in listed], ()))
    return _read(paths, run, image_shape)


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
    paths: Sequence[str], run: RunConfig, shape: tuple[int, int, int]
) -> tuple[npt.NDArray[np.uint8], list[str]]:
    from experiments.data.files.reading import read_images

    background = getattr(run.dataset, "background", None)
    found = read_images(
        paths,
        image_shape=shape,
        crop_ratio=getattr(run.dataset, "crop_ratio", 1.0),
        background=WHITE if background is None else choose_colour(background),
    )
    pixels = []
    for image in found:
        if image.pixels is None:
            raise DataError(f"{image.path} {image.fault}.")
        pixels.append(image.pixels)
    return np.stack(pixels), list(paths)
