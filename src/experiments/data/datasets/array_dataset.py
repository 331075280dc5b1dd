"""From labelled images in memory to a data set: what `digits` and `synthetic` share."""

from collections.abc import Sequence
from typing import NotRequired, TypedDict, Unpack

import numpy as np
import numpy.typing as npt

from experiments.data.array_folds import split_fold
from experiments.data.corrections import open_corrections
from experiments.data.dataset import ArraySplit, Dataset, build_dataset
from experiments.data.division import split_stratified
from experiments.data.folds import as_fold


class ArrayOptions(TypedDict):
    """The keyword arguments that `digits` and `synthetic` share.

    Attributes:
        image_size: Height and width to deliver; `None` for the data's own.
        mean: Mean of each channel in units of 0..1; `None` measures it.
        std: Standard deviation of each channel, likewise.
        corrections: File of decisions about single images; `None` for none.
        validation_fraction: Share of the validation split, stratified by class.
        test_fraction: Share of the test split, likewise; 0 for none.
        split_seed: Decides which image goes where.
        folds: Of how many parts, made of all but the test split, `fold` is tested
            instead of that; `None` for no such parts.
        fold: 1 to `folds`.
        cache: See `build_pipeline`.
        decode_threads: Threads; `None` for one per CPU core.
    """

    image_size: int | None
    mean: Sequence[float] | None
    std: Sequence[float] | None
    corrections: NotRequired[str | None]
    validation_fraction: float
    test_fraction: float
    split_seed: int
    folds: NotRequired[int | None]
    fold: NotRequired[int | None]
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
    """Divides labelled images into three splits, or into those of a fold.

    Args:
        images: uint8 `(N, H, W, C)`.
        labels: int32 `(N,)`.
        name: Short name of the data set.
        class_names: One name a class.
        options: See `ArrayOptions`.

    Raises:
        DataError: A class has too few images for a split.
    """
    train, validation, test, held_out = _divide(
        ArraySplit(images, labels), class_names, options
    )
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
        held_out=held_out,
        cache=options["cache"],
        decode_threads=options["decode_threads"],
        corrections=open_corrections(options.get("corrections")),
    )


def _divide(
    images: ArraySplit, class_names: Sequence[str], options: ArrayOptions
) -> tuple[ArraySplit, ArraySplit, ArraySplit | None, ArraySplit | None]:
    """Returns the three splits, and what a fold leaves aside."""
    validation_fraction, seed = options["validation_fraction"], options["split_seed"]
    test_fraction = options["test_fraction"]
    fold = as_fold(options.get("folds"), options.get("fold"))
    fractions = [validation_fraction, *([test_fraction] if test_fraction else [])]
    parts = split_stratified(images.labels, tuple(fractions), seed=seed)
    train, validation, *rest = map(images.select, parts)
    own_test = rest[0] if rest else None
    if fold is None:
        return train, validation, own_test, None
    pool = images.select(np.sort(np.concatenate(parts[:2])))
    folded = split_fold(
        pool,
        fold,
        class_names=class_names,
        validation_fraction=validation_fraction,
        seed=seed,
    )
    return *folded, own_test
