"""ILSVRC2012, the 1000-class ImageNet, from its usual folders."""

import re
from pathlib import Path
from typing import Unpack

from experiments.data.dataset import Dataset
from experiments.data.datasets.imagenet_names import read_class_names
from experiments.data.division import choose_splits
from experiments.data.files.class_folders import (
    list_classes,
    list_files,
    require_folder,
)
from experiments.data.files.image_files import FileOptions, Part, split_files
from experiments.data.files.layout import list_unused
from experiments.errors import DataError

_WNID = re.compile(r"n\d{8}")


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
    wnids = _list_wnids(root, classes)
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


def _list_wnids(root: Path, classes: int) -> list[str]:
    """Returns the class folders of `train`, which must be WordNet ids.

    Raises:
        DataError: The layout is another, or the number of classes is.
    """
    for name in ("train", "val"):
        folder = require_folder(str(root / name))
        if any(p.suffix.lower() in (".jpeg", ".jpg") for p in folder.iterdir()):
            raise DataError(
                f"{folder} holds images directly. Sort them into one folder a class, "
                f"such as {folder / 'n01440764'}."
            )
    wnids = list_classes(root / "train", classes)
    others = [name for name in wnids if not _WNID.fullmatch(name)]
    if others:
        raise DataError(
            f"The folders in {root / 'train'} must be WordNet ids such as n01440764. "
            f"Received: {', '.join(others[:5])}."
        )
    if len(wnids) != classes:
        raise DataError(
            f"{root / 'train'} must hold {classes} class folders. Received: "
            f"{len(wnids)}. For a subset set dataset.classes={len(wnids)}."
        )
    return wnids
