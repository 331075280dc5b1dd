"""ILSVRC2012, the 1000-class ImageNet, from its usual folders."""

from typing import Unpack

from experiments.data.dataset import Dataset
from experiments.data.datasets.imagenet_names import read_class_names
from experiments.data.division import choose_splits
from experiments.data.files.class_folders import list_files
from experiments.data.files.image_files import FileOptions, Part, split_files
from experiments.data.files.layout import list_unused
from experiments.data.files.whereabouts import require_folder
from experiments.data.files.wordnet_folders import list_wnids


def load_imagenet(
    *,
    path: str,
    classes: int,
    validation_fraction: float,
    split_seed: int,
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
        options: See `FileOptions`.

    Raises:
        DataError: A folder, a class or an image is missing or unusable.
    """
    root = require_folder(path)
    wnids = list_wnids(root, classes)
    official = "test" if validation_fraction > 0 else "validation"
    parts: list[Part] = [
        (
            list_files(root, root / "train", wnids),
            lambda files, labels: choose_splits(
                [file.name for file in files],
                labels,
                validation_fraction=validation_fraction,
                test_fraction=0.0,
                seed=split_seed,
            ),
        ),
        (
            list_files(root, root / "val", wnids),
            lambda files, _: [official] * len(files),
        ),
    ]
    return split_files(
        root,
        parts,
        name="imagenet",
        class_names=read_class_names(root, wnids),
        splits={"train": "train", official: "val"},
        unused=list_unused(root, ("train", "val")),
        **options,
    )
