"""Labels of images as arrays: one class each, or any number of them.

One class an image is int32 `(N,)`. Where an image may have several classes, or none, it
is uint8 `(N, K)` of K classes: 1 for each that is there, and else 0.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from experiments.counts import count_of
from experiments.data.labels import Label, classes_of
from experiments.errors import DataError

Labels = npt.NDArray[Any]


def as_labels(labels: npt.ArrayLike, count: int) -> Labels:
    """Returns labels of one of both kinds.

    Args:
        labels: Integers `(count,)` or `(count, 1)`, or uint8 or bool `(count, K)` of 0
            and 1 for at least two classes.
        count: How many images there are.

    Raises:
        DataError: They are something else.
    """
    array = np.asarray(labels)
    if array.ndim == 2 and array.shape[1] > 1 and array.dtype in (np.uint8, np.bool_):
        return _as_several(array.astype(np.uint8), count)
    if array.size != count or not (array.size == 0 or array.dtype.kind in "iu"):
        raise DataError(
            f"There must be one integer label an image. Received: {array.dtype} "
            f"labels of shape {array.shape} for {count_of(count, 'image')}."
        )
    limits = np.iinfo(np.int32)
    if array.size and (array.min() < limits.min or array.max() > limits.max):
        raise DataError(
            f"Labels must be 32-bit integers. Received: {array.min()}..{array.max()}."
        )
    return array.reshape(-1).astype(np.int32)


def _as_several(array: npt.NDArray[np.uint8], count: int) -> Labels:
    if len(array) != count:
        raise DataError(
            f"There must be one row of labels an image. Received: {len(array)} for "
            f"{count_of(count, 'image')}."
        )
    if array.size and array.max() > 1:
        raise DataError(
            "Labels of several classes must be 0 or 1. Received: "
            f"{array.min()}..{array.max()}."
        )
    return array


def has_several(labels: Labels) -> bool:
    """Tells whether an image may have several classes, or none."""
    return labels.ndim == 2


def stack_labels(labels: Sequence[Label], num_classes: int) -> Labels:
    """Returns the labels of images, all of one kind, as one array."""
    if not any(isinstance(label, tuple) for label in labels):
        return np.array(labels, np.int32)
    rows = np.zeros((len(labels), num_classes), np.uint8)
    for row, label in zip(rows, labels, strict=True):
        row[list(classes_of(label))] = 1
    return rows


def list_labels(labels: Labels) -> list[Label]:
    """Returns the label of each image."""
    if not has_several(labels):
        plain: list[Label] = labels.tolist()
        return plain
    return [tuple(np.flatnonzero(row).tolist()) for row in labels]


def count_images(labels: Labels, num_classes: int) -> list[int]:
    """Returns how many images each class has."""
    if has_several(labels):
        several: list[int] = labels.sum(axis=0, dtype=np.int64).tolist()
        return several
    counts: list[int] = np.bincount(labels, minlength=num_classes).tolist()
    return counts


def renumber(labels: Labels, numbers: npt.NDArray[np.int32]) -> Labels:
    """Returns labels in which class `i` is number `numbers[i]`."""
    if not has_several(labels):
        return numbers[labels]
    renumbered = np.zeros_like(labels)
    renumbered[:, numbers] = labels
    return renumbered
