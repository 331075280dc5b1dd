"""Mean and standard deviation of the training images."""

import numpy as np
import numpy.typing as npt

from experiments.data.split import ArraySplit, FileSplit, Split

# Enough for two digits, and a few seconds of decoding.
_SAMPLED_FILES = 2048
_CHUNK = 1024


def measure_mean_and_std(
    split: Split, image_shape: tuple[int, int, int]
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Returns mean and standard deviation of each channel, in units of 0..1.

    All images in memory are measured; of files, up to 2,048 evenly spaced ones,
    decoded as for validation. A channel without any variation gets the deviation 1.

    Args:
        split: The training split.
        image_shape: `(H, W, C)` to decode files to.
    """
    if isinstance(split, ArraySplit):
        images = split.images
    else:
        images = _decode_sample(split, image_shape)
    total = np.zeros(images.shape[-1])
    squares = np.zeros(images.shape[-1])
    for start in range(0, len(images), _CHUNK):
        part = images[start : start + _CHUNK].astype(np.float64) / 255
        total += part.sum(axis=(0, 1, 2))
        squares += np.square(part).sum(axis=(0, 1, 2))
    pixels = images.size / images.shape[-1]
    mean = total / pixels
    variance = np.maximum(squares / pixels - np.square(mean), 0)
    std = np.where(variance > 1e-12, np.sqrt(variance), 1.0)
    return tuple(mean.tolist()), tuple(std.tolist())


def _decode_sample(
    split: FileSplit, image_shape: tuple[int, int, int]
) -> npt.NDArray[np.uint8]:
    # Imported here so that data sets in memory do not need TensorFlow.
    from experiments.data.pipeline.memory import decode_files

    count = min(len(split), _SAMPLED_FILES)
    chosen = np.linspace(0, len(split) - 1, count).astype(int)
    return decode_files(split, image_shape, indices=chosen)
