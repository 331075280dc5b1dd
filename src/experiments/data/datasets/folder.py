"""A user's own images, one folder a class."""

from collections.abc import Mapping, Sequence
from typing import Unpack

from experiments.data.dataset import Dataset
from experiments.data.files.file_division import divide_files
from experiments.data.files.image_files import Chooser, FileOptions, Part, split_files
from experiments.data.files.layout import Layout, read_layout, refuse_other_count
from experiments.data.files.scan import ScannedFile
from experiments.data.files.whereabouts import require_folder


def load_folder(
    *,
    path: str,
    splits: Mapping[str, str] | None,
    classes: int | None,
    validation_fraction: float,
    test_fraction: float,
    split_by: str,
    split_seed: int,
    **options: Unpack[FileOptions],
) -> Dataset:
    """Lists, verifies and splits a folder of images.

    With a folder `train`, or of a like name, the folders `train`, `val` and `test` are
    the splits: without `val` the validation split is taken from `train`, without `test`
    there is no test split. Otherwise `path` holds the class folders. What folders do
    not decide, a hash of each file does, see `choose_splits`.

    Args:
        path: The folder.
        splits: Split name -> its folder; empty when every folder is a class, `None`
            to tell by the folders' names, see `read_layout`.
        classes: Number of classes to insist on.
        validation_fraction: Share of the validation split.
        test_fraction: Share of the test split, when there are no split folders.
        split_by: The hash of a file's `content` or of its relative `path`.
        split_seed: Another seed gives another division.
        options: See `FileOptions`.

    Raises:
        DataError: The folder, a class or an image is missing or unusable, or the
            folder can be understood in two ways.
    """
    root = require_folder(path)
    layout = read_layout(root, splits=splits, classes=classes)
    refuse_other_count(root, layout.class_names, classes)

    def by_hash(files: Sequence[ScannedFile], labels: Sequence[int]) -> list[str]:
        return divide_files(
            files,
            labels,
            split_by=split_by,
            validation_fraction=validation_fraction,
            test_fraction=0.0 if layout.splits else test_fraction,
            seed=split_seed,
        )

    return split_files(
        root,
        _assign(layout, by_hash),
        name=root.resolve().name,
        class_names=layout.class_names,
        splits=layout.splits,
        by_name=splits is None,
        unused=layout.unused,
        **options,
    )


def _assign(layout: Layout, by_hash: Chooser) -> list[Part]:
    """Returns files with what decides their split."""

    def all_in(split: str) -> Chooser:
        return lambda files, _: [split] * len(files)

    return [
        (files, by_hash)
        if split == "train" and "validation" not in layout.files
        else (files, all_in(split))
        for split, files in layout.files.items()
    ]
