"""A part of the training images, of every class alike."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from experiments.data.corrections import select_images
from experiments.data.dataset import Dataset
from experiments.data.fingerprint import fingerprint_splits
from experiments.data.normalization import measure_mean_and_std


def take_fraction(
    dataset: Dataset,
    fraction: float,
    *,
    seed: int,
    measure_mean: bool,
    measure_std: bool,
) -> Dataset:
    """Leaves a fraction of each class's training images; all else stays as it is.

    A smaller fraction is a part of a larger one of the same seed.

    Args:
        dataset: All of it.
        fraction: In (0, 1]; of each class at least one image is left.
        seed: Decides which images these are.
        measure_mean: The mean is that of the training images, not given.
        measure_std: Likewise the standard deviation.
    """
    rows = choose_rows(dataset.train.labels, fraction, seed=seed)
    train = select_images(dataset.train, rows)
    fingerprint = fingerprint_splits(
        {**dataset.splits, "train": train}, dataset.num_classes
    )
    mean, std = dataset.mean, dataset.std
    if measure_mean or measure_std:
        measured = measure_mean_and_std(train, dataset.image_shape)
        mean = measured[0] if measure_mean else mean
        std = measured[1] if measure_std else std
    return replace(
        dataset,
        train=train,
        mean=mean,
        std=std,
        # The images that are left out belong to the data set none the less.
        fingerprint=replace(fingerprint, content=dataset.fingerprint.content),
    )


def choose_rows(
    labels: npt.NDArray[np.int32], fraction: float, *, seed: int
) -> npt.NDArray[np.int64]:
    """Returns the sorted numbers of a fraction of each class, rounded, at least one.

    Args:
        labels: int32 `(N,)`.
        fraction: In (0, 1].
        seed: Decides which images these are.
    """
    # RandomState's streams are frozen; the newer Generator's may change.
    random = np.random.RandomState(seed)
    parts = []
    for label in np.unique(labels):
        members = random.permutation(np.flatnonzero(labels == label))
        parts.append(members[: max(1, round(fraction * len(members)))])
    return np.sort(np.concatenate(parts))
