"""Scikit-learn's 1,797 real handwritten digits, the data set that needs no network."""

from typing import Unpack

import numpy as np
import numpy.typing as npt

from experiments.data.dataset import Dataset
from experiments.data.datasets.array_dataset import ArrayOptions, split_arrays

_BRIGHTEST = 16


def load_digits(**options: Unpack[ArrayOptions]) -> Dataset:
    """Loads 8 x 8 greyscale digits, their 17 levels spread over 0..255.

    See `ArrayOptions` for the arguments.
    """
    images, labels = _read_digits()
    names = [str(digit) for digit in range(10)]
    return split_arrays(images, labels, name="digits", class_names=names, **options)


def _read_digits() -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int32]]:
    # Imported here: no other data set needs scikit-learn.
    import sklearn.datasets

    raw = sklearn.datasets.load_digits()
    images = np.round(raw.images * (255 / _BRIGHTEST)).astype(np.uint8)
    return images[..., None], raw.target.astype(np.int32)
