"""Made-up images that a small network learns at once, of any size and count."""

from typing import Unpack

import numpy as np
import numpy.typing as npt

from experiments.data.dataset import Dataset
from experiments.data.datasets.array_dataset import ArrayOptions, split_arrays

_PATTERN_SIZE = 4
_NOISE = 40


def make_synthetic(
    *,
    images: int,
    classes: int,
    channels: int,
    seed: int,
    **options: Unpack[ArrayOptions],
) -> Dataset:
    """Makes images of one coarse random pattern a class under fresh noise.

    Args:
        images: How many in all splits together.
        classes: How many classes; every class has about as many images.
        channels: 1 or 3.
        seed: Decides patterns and noise.
        options: See `ArrayOptions`; `image_size` is that of the images made.
    """
    size = options["image_size"] or _PATTERN_SIZE
    labels = np.arange(images, dtype=np.int32) % classes
    return split_arrays(
        _make_images(labels, classes, (size, size, channels), seed),
        labels,
        name="synthetic",
        class_names=[f"class_{number}" for number in range(classes)],
        **options,
    )


def _make_images(
    labels: npt.NDArray[np.int32], classes: int, shape: tuple[int, int, int], seed: int
) -> npt.NDArray[np.uint8]:
    """Returns uint8 `(N, H, W, C)`: the class's pattern, enlarged, plus noise."""
    # RandomState's streams are frozen; the newer Generator's may change.
    random = np.random.RandomState(seed)
    grid = (classes, _PATTERN_SIZE, _PATTERN_SIZE, shape[2])
    patterns = random.randint(50, 206, grid, np.int16)
    rows = np.arange(shape[0]) * _PATTERN_SIZE // shape[0]
    columns = np.arange(shape[1]) * _PATTERN_SIZE // shape[1]
    enlarged = patterns[:, rows][:, :, columns]
    result = np.empty((len(labels), *shape), np.uint8)
    for position, label in enumerate(labels):
        noise = random.randint(-_NOISE, _NOISE + 1, shape, np.int16)
        result[position] = enlarged[label] + noise
    return result
