"""Made-up images that a small network learns at once, of any size and count."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from experiments.data.dataset import ArraySplit, Dataset, build_dataset
from experiments.data.splitting import split_stratified

_PATTERN_SIZE = 4
_NOISE = 40


def make_synthetic(
    *,
    images: int,
    classes: int,
    channels: int,
    seed: int,
    image_size: int,
    mean: Sequence[float] | None,
    std: Sequence[float] | None,
    validation_fraction: float,
    test_fraction: float,
    split_seed: int,
    cache: str,
    decode_threads: int | None,
) -> Dataset:
    """Makes images of one coarse random pattern a class under fresh noise.

    Args:
        images: How many in all splits together.
        classes: How many classes; every class has about as many images.
        channels: 1 or 3.
        seed: Decides patterns and noise.
        image_size: Height and width.
        mean: Mean of each channel in units of 0..1; `None` measures it.
        std: Standard deviation of each channel, likewise.
        validation_fraction: Share of the validation split, stratified by class.
        test_fraction: Share of the test split, likewise.
        split_seed: Decides which image goes where.
        cache: See `build_dataset`.
        decode_threads: See `build_dataset`.
    """
    labels = np.arange(images, dtype=np.int32) % classes
    pixels = _make_images(labels, classes, (image_size, image_size, channels), seed)
    parts = split_stratified(
        labels, (validation_fraction, test_fraction), seed=split_seed
    )
    train, validation, test = (ArraySplit(pixels[p], labels[p]) for p in parts)
    return build_dataset(
        name="synthetic",
        class_names=[f"class_{number}" for number in range(classes)],
        image_shape=(image_size, image_size, channels),
        mean=mean,
        std=std,
        train=train,
        validation=validation,
        test=test,
        cache=cache,
        decode_threads=decode_threads,
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
