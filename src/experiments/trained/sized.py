"""Images in the size that a model takes, by their numbers in a split."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from experiments.data.images.show import show_images
from experiments.data.split import Split

Images = npt.NDArray[np.uint8]


def show_in_size(split: Split, rows: Sequence[int], shape: tuple[int, ...]) -> Images:
    """Returns images as a model takes them, uint8 `(len(rows), H, W, C)`.

    Args:
        split: Where they are.
        rows: Their numbers.
        shape: `(H, W, C)` of the model's images.
    """
    from experiments.data.images.resize import resize_images

    height, width, channels = shape
    images = show_images(split, rows, (height, width, channels))
    return np.asarray(resize_images(images, (height, width)), np.uint8)


def draw_in_size(
    split: Split, count: int, shape: tuple[int, ...]
) -> Callable[[], Iterator[Images]]:
    """Returns what yields images one by one, the same ones each time.

    Args:
        split: Where they are drawn from.
        count: How many at most.
        shape: `(H, W, C)` of the model's images.
    """
    most = min(count, len(split))
    rows = np.random.default_rng(0).choice(len(split), most, replace=False)

    def read() -> Iterator[Images]:
        for row in rows.tolist():
            yield show_in_size(split, [row], shape)

    return read
