"""ILSVRC2012, the 1000-class ImageNet, from its usual folders."""

from functools import partial
from typing import Unpack

from experiments.data.dataset import Dataset
from experiments.data.datasets.imagenet_names import read_class_names
from experiments.data.files.dividing.file_division import (
    HELD_OUT,
    Division,
    divide_files,
    divide_folds,
)
from experiments.data.files.folders.class_folders import list_files
from experiments.data.files.folders.layout import list_unused
from experiments.data.files.folders.wordnet_folders import list_wnids
from experiments.data.files.image_files import Chooser, FileOptions, Part, split_files
from experiments.data.files.place.whereabouts import require_folder
from experiments.data.folds import as_fold


def load_imagenet(
    *,
    path: str,
    classes: int,
    validation_fraction: float,
    split_seed: int,
    folds: int | None = None,
    fold: int | None = None,
    **options: Unpack[FileOptions],
) -> Dataset:
    """Lists and splits `path`/train/<wnid>/ and `path`/val/<wnid>/.

    The field reports accuracy on `val`. Here that is the test split, and a part of
    `train` decides between models; `validation_fraction=0` makes `val` the validation
    split and leaves no test split.

    Args:
        path: The folder of `train` and `val`; others are named and not used.
        classes: Number of class folders to insist on, 1000 unless it is a subset.
        validation_fraction: Share of `train`, by a hash of each file's path; 0 or more.
        split_seed: Another seed gives another division.
        folds: Of how many parts of `train` `fold` is tested, and `val` is not used;
            `None` for no such parts.
        fold: 1 to `folds`.
        options: See `FileOptions`.

    Raises:
        DataError: A folder, a class or an image is missing or unusable.
    """
    root = require_folder(path)
    wnids = list_wnids(root, classes)
    names = read_class_names(root, wnids)
    division = Division(
        split_by="path",
        validation_fraction=validation_fraction,
        test_fraction=0.0,
        seed=split_seed,
    )
    official = "test" if validation_fraction > 0 else "validation"
    choose: Chooser = partial(divide_files, division=division)
    if (chosen := as_fold(folds, fold)) is not None:
        official = HELD_OUT
        choose = partial(
            divide_folds, division=division, fold=chosen, class_names=names
        )
    parts: list[Part] = [
        (list_files(root, root / "train", wnids), choose),
        (
            list_files(root, root / "val", wnids),
            lambda files, _: [official] * len(files),
        ),
    ]
    return split_files(
        root,
        parts,
        name="imagenet",
        class_names=names,
        splits={"train": "train", official: "val"},
        unused=list_unused(root, ("train", "val")),
        **options,
    )
