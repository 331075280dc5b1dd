"""ImageNet's folders: `train` and `val`, with one folder a WordNet id in each."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from experiments.counts import count_of, name_some
from experiments.data.files.folders.class_folders import list_classes
from experiments.data.files.place.entries import list_inner_folders, reading, suffix_of
from experiments.data.files.place.whereabouts import find_inside, type_path
from experiments.errors import DataError

SPLITS = ("train", "val")
_WNID = re.compile(r"n\d{8}")


def list_wnids(root: Path, classes: int) -> list[str]:
    """Returns the class folders of `train`, which must be WordNet ids.

    Args:
        root: The folder of `train` and `val`.
        classes: How many there must be.

    Raises:
        DataError: The layout is another, or the number of classes is; says all of it.
    """
    if faults := list(find_wnid_faults(root, classes)):
        raise DataError(" ".join(faults))
    return list_classes(root / "train", classes)


def find_wnid_faults(root: Path, classes: int) -> Iterator[str]:
    """Yields what is wrong with ImageNet's folders, a sentence or two each.

    Raises:
        DataError: A folder may not be read, or holds no classes.
    """
    absent = [name for name in SPLITS if not (root / name).is_dir()]
    if absent:
        yield _describe_absence(root, absent)
    for name in SPLITS:
        if name not in absent and _holds_images(root / name):
            yield (
                f"{root / name} holds images directly. Sort them into one folder a "
                f"class, such as {root / name / 'n01440764'}."
            )
    if "train" in absent:
        return
    wnids = list_classes(root / "train", classes)
    others = [name for name in wnids if not _WNID.fullmatch(name)]
    if others:
        yield (
            f"The folders in {root / 'train'} must be WordNet ids such as n01440764. "
            f"Received: {name_some(others)}. For other images type dataset=folder."
        )
    elif len(wnids) != classes:
        yield (
            f"{root / 'train'} must hold {count_of(classes, 'class folder')}. "
            f"Received: {len(wnids):,}. For a subset type dataset.classes={len(wnids)}."
        )


def _describe_absence(root: Path, absent: list[str]) -> str:
    places = " and ".join(str(root / name) for name in absent)
    verb = "does" if len(absent) == 1 else "do"
    told = (
        f"{places} {verb} not exist: ImageNet is taken from its folders train and val."
    )
    inner = find_inside(root)
    if inner is None or not set(SPLITS) <= set(list_inner_folders(inner)):
        return told
    return f"{told} Did you mean {inner}? Type {type_path(inner)}"


def _holds_images(folder: Path) -> bool:
    with reading(str(folder)), os.scandir(folder) as entries:
        return any(suffix_of(entry.name) in (".jpeg", ".jpg") for entry in entries)
