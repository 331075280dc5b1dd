"""From labelled images in memory to a data set: what `digits` and `synthetic` share."""

from collections.abc import Sequence
from typing import TypedDict, Unpack

import numpy as np
import numpy.typing as npt

from experiments.data.dataset import ArraySplit, Dataset, build_dataset
from experiments.data.division import split_stratified


class ArrayOptions(TypedDict):
    """The keyword arguments that `digits` and `synthetic` share.

    Attributes:
        image_size: Height and width to deliver; `None` for the data's own.
        mean: Mean of each channel in units of 0..1; `None` measures it.
        std: Standard deviation of each channel, likewise.
        validation_fraction: Share of the validation split, stratified by class.
        test_fraction: Share of the test split, likewise.
        split_seed: Decides which image goes where.
        cache: See `build_pipeline`.
        decode_threads: Threads; `None` for one per CPU core.
    """

    image_size: int | None
    mean: Sequence[float] | None
    std: Sequence[float] | None
    validation_fraction: float
    test_fraction: float
    split_seed: int
    cache: str
    decode_threads: int | None


def split_arrays(
    images: npt.NDArray[np.uint8],
    labels: npt.NDArray[np.int32],
    *,
    name: str,
    class_names: Sequence[str],
    **options: Unpack[ArrayOptions],
) -> Dataset:
    """Divides labelled images into three splits.

    Args:
        images: uint8 `(N, H, W, C)`.
        labels: int32 `(N,)`.
        name: Short name of the data set.
        class_names: One name a class.
        options: See `ArrayOptions`.

    Raises:
        DataError: A class has too few images for a split.
    """
    parts = split_stratified(
        labels,
        (options["validation_fraction"], options["test_fraction"]),
        seed=options["split_seed"],
    )
    train, validation, test = (ArraySplit(images[p], labels[p]) for p in parts)
    height, width, channels = images.shape[1:]
    size = options["image_size"]
    return build_dataset(
        name=name,
        class_names=class_names,
        image_shape=(size or height, size or width, channels),
        mean=options["mean"],
        std=options["std"],
        train=train,
        validation=validation,
        test=test,
        cache=options["cache"],
        decode_threads=options["decode_threads"],
    )
