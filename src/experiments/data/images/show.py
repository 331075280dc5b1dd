"""Images of a split as a person is to see them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from experiments.data.split import ArraySplit, Split


def show_images(
    split: Split, rows: Sequence[int], image_shape: tuple[int, int, int]
) -> npt.NDArray[np.uint8]:
    """Returns images by their numbers: as the network sees files, others as stored.

    Args:
        split: Where they are.
        rows: K numbers of images.
        image_shape: `(H, W, C)` of what is read from files.

    Returns:
        uint8 `(K, H, W, C)`.
    """
    if isinstance(split, ArraySplit):
        return split.images[list(rows)]
    from experiments.data.images.decode import decode_image

    decoded = [
        np.asarray(
            decode_image(
                Path(split.paths[row]).read_bytes(),
                image_shape=image_shape,
                crop_ratio=split.crop_ratio,
                background=split.background,
                max_pixels=split.max_pixels,
            )
        )
        for row in rows
    ]
    return np.stack(decoded) if decoded else np.zeros((0, *image_shape), np.uint8)
