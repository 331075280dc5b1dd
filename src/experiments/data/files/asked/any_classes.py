"""Reads a folder of images to measure a model on: any number of classes and images.

What is trained on needs two classes, and each of them in each split. A model can be
measured on a few photographs of one class.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from experiments.config.kinds.corrections import Corrections
from experiments.counts import count_of
from experiments.data.corrections import apply_corrections, open_corrections
from experiments.data.files.folders.class_folders import list_unchecked
from experiments.data.files.folders.layout import descend, holds_folders
from experiments.data.files.image_files import (
    FileOptions,
    list_skipped,
    make_split,
    scan_listed,
)
from experiments.data.files.place.entries import list_entries
from experiments.data.files.place.split_names import split_of
from experiments.data.files.place.whereabouts import require_folder
from experiments.data.files.tables.label_table import Row
from experiments.data.labelled import Labelled
from experiments.data.labels import Label
from experiments.data.split import Split
from experiments.errors import DataError

# What a model is measured on where nobody says, the first that there is.
PREFERRED = ("test", "evaluation", "validation", "train")
SPLIT_KEY = "task.split"


class NoLabelsError(DataError):
    """Images that lie directly in a folder, so that nothing says what they show."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where labelled images were found.

    Attributes:
        root: The data set's folder.
        folder: That of the class folders, relative to it; `.` for itself.
        split: The split that it is; `None` for all of the images.
        splits: The splits that there are.
        rows: Of a table, those of the split.
    """

    root: Path
    folder: str
    split: str | None
    splits: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()


def find_labelled(
    path: str, *, splits: Mapping[str, str] | None, wanted: str | None
) -> Place:
    """Tells where the class folders are that a model is measured on; opens no file.

    Args:
        path: The folder.
        splits: Split name -> its folder; empty when every folder is a class, `None` to
            tell by the folders' names.
        wanted: The split; `None` for the test split or, without split folders, all.

    Raises:
        NoLabelsError: There are images, and no class folders.
        DataError: There is no such folder or split.
    """
    root = require_folder(path)
    found = _find_splits(root) if splits is None else dict(splits)
    if not found:
        _require_classes(root)
        if wanted is not None:
            raise DataError(
                f"{SPLIT_KEY} is for folders with split folders in them, and {root} "
                f"has none: all of its images are evaluated. Leave {SPLIT_KEY} out."
            )
        return Place(root=root, folder=".", split=None)
    split = wanted or next(name for name in PREFERRED if name in found)
    if split not in found:
        raise DataError(
            f"{SPLIT_KEY} must be a split that {root} has: {', '.join(found)}. "
            f"Received: {split}."
        )
    folder = descend(root, found[split])
    require_folder(str(root / folder), f"dataset.splits.{split}")
    _require_classes(root / folder)
    return Place(root=root, folder=folder, split=split, splits=tuple(found))


def read_labelled(place: Place, options: FileOptions) -> Labelled:
    """Verifies the files of a place.

    Args:
        place: What `find_labelled` returned.
        options: See `FileOptions`.

    Raises:
        DataError: Some file is no usable image and `on_corrupt` is `error`, or none is
            left.
    """
    listed = list_unchecked(place.root, [place.folder])
    class_of = {f: unicodedata.normalize("NFC", Path(f).name) for f in listed}
    classes = sorted(set(class_of.values()))
    number_of = {name: number for number, name in enumerate(classes)}
    pairs = [
        (name, number_of[class_of[folder]])
        for folder, files in listed.items()
        for name in files
    ]
    return verify_images(place, pairs, classes, options)


def verify_images(
    place: Place,
    pairs: Sequence[tuple[str, Label]],
    classes: Sequence[str],
    options: FileOptions,
) -> Labelled:
    """Returns the files that are usable images.

    Args:
        place: Where they lie.
        pairs: Name and label of each.
        classes: Names of these.
        options: See `FileOptions`.

    Raises:
        DataError: As `read_labelled`.
    """
    scanned = scan_listed(place.root, [name for name, _ in pairs], options)
    corrections = open_corrections(options.get("corrections"))
    skipped = list_skipped(
        place.root,
        scanned,
        on_corrupt=options["on_corrupt"],
        dropped=() if corrections is None else corrections.dropped,
    )
    labels = [label for _, label in pairs]
    usable = [(f, n) for f, n in zip(scanned, labels, strict=True) if not f.fault]
    if not usable:
        raise DataError(
            f"{place.root / place.folder} has no usable image in "
            f"{count_of(len(pairs), 'file')}. Name the folder of the class folders."
        )
    images: Split = make_split(place.root, usable, len(classes), options)
    if corrections is not None:
        images = _correct(images, corrections, place.root, classes)
    return Labelled(
        name=place.root.resolve().name,
        split=place.split,
        class_names=tuple(classes),
        images=images,
        skipped_files=tuple(skipped),
        cache=options["cache"],
        decode_threads=options["decode_threads"],
    )


def _correct(
    images: Split, corrections: Corrections, root: Path, classes: Sequence[str]
) -> Split:
    """Returns the images as a person has corrected them, who may speak of others."""
    others = [name for name in corrections.rows if (root / name).is_file()]
    split = "images"
    found = apply_corrections({split: images}, corrections, classes, left_out=others)
    return found.splits[split]


def _find_splits(root: Path) -> dict[str, str]:
    """Returns split -> folder by their names; empty where they hold no class folders.

    Raises:
        DataError: A split has two folders.
    """
    found: dict[str, str] = {}
    for name in list_entries(root).folders:
        split = split_of(name)
        if split is None or not holds_folders(root / name):
            continue
        if split in found:
            raise DataError(
                f"{root} has more than one {split} folder: {found[split]} and {name}. "
                f"Choose one, such as 'dataset.splits={{train: {name}}}'"
            )
        found[split] = name
    return found


def _require_classes(folder: Path) -> None:
    entries = list_entries(folder)
    if entries.folders:
        return
    if entries.images:
        raise NoLabelsError(
            f"The {count_of(len(entries.images), 'image')} of {folder} lie directly in "
            "it: nothing says what they show, and there is nothing to compare with."
        )
    raise DataError(
        f"{folder} holds no folder of a class. Name the folder in which there is one "
        "folder a class, with its images."
    )
