"""A user's own images, one folder a class."""

from collections.abc import Mapping
from typing import Unpack

from experiments.data.dataset import Dataset
from experiments.data.files.assignment import assign_files
from experiments.data.files.dividing.file_division import Division
from experiments.data.files.folders.layout import read_layout, refuse_other_count
from experiments.data.files.image_files import FileOptions, split_files
from experiments.data.files.place.whereabouts import require_folder
from experiments.data.folds import as_fold


def load_folder(
    *,
    path: str,
    splits: Mapping[str, str] | None,
    classes: int | None,
    validation_fraction: float,
    test_fraction: float,
    split_by: str,
    split_seed: int,
    folds: int | None = None,
    fold: int | None = None,
    group: str | None = None,
    split: str = "hash",
    **options: Unpack[FileOptions],
) -> Dataset:
    """Lists, verifies and splits a folder of images.

    With a folder `train`, or of a like name, the folders `train`, `val` and `test` are
    the splits: without `val` the validation split is taken from `train`, without `test`
    there is no test split. Otherwise `path` holds the class folders. What folders do
    not decide, a hash of each file does, see `choose_splits`. A fold is the test split
    and takes from both other folders; what would be the test split is held out.

    Args:
        path: The folder.
        splits: Split name -> its folder; empty when every folder is a class, `None`
            to tell by the folders' names, see `read_layout`.
        classes: Number of classes to insist on.
        validation_fraction: Share of the validation split.
        test_fraction: Share of the test split, when there are no split folders.
        split_by: The hash of a file's `content` or of its relative `path`.
        split_seed: Another seed gives another division.
        folds: Of how many parts `fold` is tested; `None` for no such parts.
        fold: 1 to `folds`.
        group: What tells which files stay together, see `read_groups`; `None` when each
            is for itself.
        split: `hash`, `stratified` or `group`, see `Division`.
        options: See `FileOptions`.

    Raises:
        DataError: The folder, a class or an image is missing or unusable, or the
            folder can be understood in two ways.
    """
    root = require_folder(path)
    layout = read_layout(root, splits=splits, classes=classes)
    refuse_other_count(root, layout.class_names, classes)

    division = Division(
        split_by=split_by,
        validation_fraction=validation_fraction,
        test_fraction=0.0 if layout.splits else test_fraction,
        seed=split_seed,
        method=split,
        group=group,
    )
    parts = assign_files(layout, division, as_fold(folds, fold))
    return split_files(
        root,
        parts,
        name=root.resolve().name,
        class_names=layout.class_names,
        splits=layout.splits,
        by_name=splits is None,
        unused=layout.unused,
        **options,
    )
