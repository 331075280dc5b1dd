"""Gives the training images of a data set the weights that a person gave them."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from experiments.data.dataset import Dataset
from experiments.data.samples import name_samples
from experiments.data.split import FileSplit
from experiments.errors import DataError


def weigh_training(dataset: Dataset, weights: Mapping[str, float]) -> Dataset:
    """Returns a data set whose training images count by their weights.

    The fingerprint of the content becomes another one: it is another training.

    Args:
        dataset: Of image files.
        weights: Name of an image -> its weight, for all of the training split.

    Raises:
        DataError: No training image counts.
    """
    train = dataset.train
    names = name_samples(train)
    values = np.array([weights[name] for name in names], np.float32)
    if not values.any():
        raise DataError(
            "dataset.weight_column must leave a training image a weight above 0: "
            "nothing would be learnt."
        )
    if not isinstance(train, FileSplit):
        raise TypeError("Only image files are weighed.")
    digest = hashlib.blake2b(dataset.fingerprint.content.encode(), digest_size=16)
    for name, weight in sorted(zip(names, values.tolist(), strict=True)):
        digest.update(f"{name}:{weight!r};".encode("utf-8", "surrogateescape"))
    return replace(
        dataset,
        train=replace(train, weights=values),
        fingerprint=replace(dataset.fingerprint, content=digest.hexdigest()),
    )
