"""Which files go together, and what decides the split of each."""

from functools import partial

from experiments.data.files.dividing.file_division import (
    HELD_OUT,
    Division,
    divide_files,
    divide_folds,
)
from experiments.data.files.folders.class_folders import LabelledFiles
from experiments.data.files.folders.layout import Layout
from experiments.data.files.image_files import Chooser, Part
from experiments.data.folds import Fold


def assign_files(layout: Layout, division: Division, fold: Fold | None) -> list[Part]:
    """Returns the files of a data set with what decides the split of each.

    What the layout does not divide, the division does. A fold is the test split and
    takes from all but that of the layout, which is held out.

    Args:
        layout: The files.
        division: How those without a split are divided.
        fold: Which one is tested; `None` without folds.
    """
    if fold is None:
        return _assign(layout, partial(divide_files, division=division))
    choose = partial(
        divide_folds, division=division, fold=fold, class_names=layout.class_names
    )
    return _assign_folds(layout, choose)


def _assign(layout: Layout, by_hash: Chooser) -> list[Part]:
    """Returns files with what decides their split."""
    return [
        (files, by_hash)
        if split == "train" and "validation" not in layout.files
        else (files, _all_in(split))
        for split, files in layout.files.items()
    ]


def _assign_folds(layout: Layout, by_fold: Chooser) -> list[Part]:
    """Returns what is divided into folds, and given tests, which are held out."""
    divided = [files for split, files in layout.files.items() if split != "test"]
    together = LabelledFiles(
        names=[name for files in divided for name in files.names],
        labels=[label for files in divided for label in files.labels],
        folders=[folder for files in divided for folder in files.folders],
    )
    tests = layout.files.get("test")
    return [(together, by_fold), *([(tests, _all_in(HELD_OUT))] if tests else [])]


def _all_in(split: str) -> Chooser:
    return lambda files, _: [split] * len(files)
