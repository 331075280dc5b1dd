"""The parts of one fold, of images in memory."""

from collections.abc import Sequence

import numpy as np

from experiments.data.folds import Fold, Pool, choose_fold_splits
from experiments.data.samples import digest_samples, name_samples
from experiments.data.split import ArraySplit


def split_fold(
    images: ArraySplit,
    fold: Fold,
    *,
    class_names: Sequence[str],
    validation_fraction: float,
    seed: int,
) -> tuple[ArraySplit, ArraySplit, ArraySplit]:
    """Returns what is trained on, what decides and the fold itself.

    Copies of an image, under whatever labels, are in the same part.

    Args:
        images: All that are divided into folds.
        fold: Which one.
        class_names: One name a class.
        validation_fraction: Share of what is not in the fold.
        seed: Decides which image goes where.

    Raises:
        DataError: A class has too few images.
    """
    pool = Pool(
        names=name_samples(images),
        labels=images.labels.tolist(),
        ties=[digest_samples(images)],
        class_names=class_names,
        seed=seed,
    )
    chosen = np.array(
        choose_fold_splits(pool, fold, validation_fraction=validation_fraction)
    )
    train, validation, test = (
        images.select(np.flatnonzero(chosen == split))
        for split in ("train", "validation", "test")
    )
    return train, validation, test
