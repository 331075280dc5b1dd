"""Patches of the two photographs that scikit-learn brings along."""

import numpy as np
import numpy.typing as npt

from experiments.data.dataset import ArraySplit, Dataset, build_dataset
from experiments.data.division import split_stratified


def load_photo_patches(
    *,
    image_size: int,
    validation_fraction: float,
    test_fraction: float,
    split_seed: int,
) -> Dataset:
    """Cuts the photographs into patches; the class is the photograph.

    The arguments are the keys of `conf/dataset/photo_patches.yaml`. What matters is
    the return: `build_dataset` checks labels and splits, measures mean and deviation
    of the training images and computes the fingerprint.

    Args:
        image_size: Height and width of a patch.
        validation_fraction: Share of the validation split.
        test_fraction: Share of the test split.
        split_seed: Decides which patch goes where.
    """
    import sklearn.datasets

    photos = sklearn.datasets.load_sample_images().images  # uint8 (427, 640, 3) each
    parts = [_cut(photo, image_size) for photo in photos]
    images = np.concatenate(parts)
    labels = np.repeat([0, 1], [len(part) for part in parts]).astype(np.int32)
    train, validation, test = split_stratified(
        labels, (validation_fraction, test_fraction), seed=split_seed
    )
    return build_dataset(
        name="photo_patches",
        class_names=["temple", "flower"],
        image_shape=(image_size, image_size, 3),
        train=ArraySplit(images[train], labels[train]),
        validation=ArraySplit(images[validation], labels[validation]),
        test=ArraySplit(images[test], labels[test]),
    )


def _cut(photo: npt.NDArray[np.uint8], size: int) -> npt.NDArray[np.uint8]:
    """Returns the patches that fit side by side, (N, size, size, 3)."""
    rows, columns = photo.shape[0] // size, photo.shape[1] // size
    whole = photo[: rows * size, : columns * size]
    grid = whole.reshape(rows, size, columns, size, 3)
    return grid.swapaxes(1, 2).reshape(-1, size, size, 3)
