"""Scikit-learn's 1,797 real handwritten digits, the data set that needs no network."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from experiments.data.dataset import ArraySplit, Dataset, build_dataset
from experiments.data.splitting import split_stratified

_NATIVE_SIZE = 8
_BRIGHTEST = 16


def load_digits(
    *,
    image_size: int | None,
    mean: Sequence[float] | None,
    std: Sequence[float] | None,
    validation_fraction: float,
    test_fraction: float,
    split_seed: int,
    cache: str,
    decode_threads: int | None,
) -> Dataset:
    """Loads 8 x 8 greyscale digits, their 17 levels spread over 0..255.

    Args:
        image_size: Height and width to deliver; `None` for 8.
        mean: Mean in units of 0..1; `None` measures it on the training split.
        std: Standard deviation, likewise.
        validation_fraction: Share of the validation split, stratified by class.
        test_fraction: Share of the test split, likewise.
        split_seed: Decides which image goes where.
        cache: See `build_dataset`.
        decode_threads: See `build_dataset`.
    """
    images, labels = _read_digits()
    train, validation, test = split_stratified(
        labels, (validation_fraction, test_fraction), seed=split_seed
    )
    size = image_size or _NATIVE_SIZE
    return build_dataset(
        name="digits",
        class_names=[str(digit) for digit in range(10)],
        image_shape=(size, size, 1),
        mean=mean,
        std=std,
        train=ArraySplit(images[train], labels[train]),
        validation=ArraySplit(images[validation], labels[validation]),
        test=ArraySplit(images[test], labels[test]),
        cache=cache,
        decode_threads=decode_threads,
    )


def _read_digits() -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int32]]:
    # Imported here: no other data set needs scikit-learn.
    import sklearn.datasets

    raw = sklearn.datasets.load_digits()
    images = np.round(raw.images * (255 / _BRIGHTEST)).astype(np.uint8)
    return images[..., None], raw.target.astype(np.int32)
