"""Encoded images of another library's files, unpacked once into a folder and a table.

What follows is as with images of one's own: the same decoder, the same order, the same
names in every table, and a training that goes on where it stopped.
"""

import csv
import hashlib
import logging
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NotRequired, Unpack

from experiments.counts import count_of
from experiments.data.dataset import Dataset
from experiments.data.datasets.table import load_table
from experiments.data.files.image_files import FileOptions
from experiments.data.files.place.split_names import split_of
from experiments.data.images.image_header import detect_format
from experiments.errors import DataError
from experiments.files import drafting

_log = logging.getLogger(__name__)
_TABLE = "labels.csv"
_COLUMNS = ("path", "label", "split")


class UnpackedOptions(FileOptions):
    """The keyword arguments that such data sets share, as `load_table` has them.

    Attributes:
        classes: Number of classes to insist on.
        validation_fraction: Share of the validation split.
        test_fraction: Share of the test split, where there are no splits.
        split_by: The hash of a file's `content` or of its `path`.
        split_seed: Another seed gives another division.
        folds: Of how many parts `fold` is tested; `None` for no such parts.
        fold: 1 to `folds`.
        group: What tells which files stay together; `None` for each by itself.
        split: `hash`, `stratified` or `group`.
    """

    classes: int | None
    validation_fraction: float
    test_fraction: float
    split_by: str
    split_seed: int
    folds: NotRequired[int | None]
    fold: NotRequired[int | None]
    group: NotRequired[str | None]
    split: NotRequired[str]


@dataclass(frozen=True)
class Encoded:
    """One image.

    Attributes:
        split: Its split, as the library calls it.
        label: Name of its class; `None` where it has none.
        content: The file's bytes, as they were encoded by whoever made the data set.
    """

    split: str
    label: str | None
    content: bytes


def unpack(
    source: Path, folder: Path, read: Callable[[], Iterator[Encoded]], *, what: object
) -> Path:
    """Returns the folder of a data set's images and of `labels.csv`.

    Images that have no class, and those of splits that are none of training, validation
    and test, are left out with a warning.

    Args:
        source: Files of the library; it is unpacked anew when one of them changes.
        folder: Where such folders are kept.
        read: Yields the images in their order.
        what: What else the result depends on.

    Raises:
        DataError: An image is none, or nothing has a class.
    """
    place = folder.expanduser() / _identify(source, what)
    if (place / _TABLE).is_file():
        return place
    _log.info("The images of %s are unpacked into %s, once.", source, place)
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        with drafting(place, shared=True) as draft:
            draft.mkdir()
            _write(draft, read(), source)
    except OSError:
        if not (place / _TABLE).is_file():  # else another job was quicker
            raise
    return place


def load_unpacked(
    place: Path, *, name: str, **options: Unpack[UnpackedOptions]
) -> Dataset:
    """Returns the data set of an unpacked folder.

    Args:
        place: What `unpack` returned.
        name: Short name of the data set.
        options: See `UnpackedOptions`.
    """
    with (place / _TABLE).open(encoding="utf-8", newline="") as file:
        splits = {row["split"] for row in csv.DictReader(file)}
    loaded = load_table(
        table=str(place / _TABLE),
        path=str(place),
        path_column="path",
        label_column="label",
        split_column="split" if splits != {"train"} else None,
        group_column=None,
        **options,
    )
    # The files are this project's own: nobody changes them between two runs.
    return replace(loaded, name=name, files={})


def choose_column(kind: str, found: list[str], wanted: str | None, key: str) -> str:
    """Returns the feature that is meant.

    Args:
        kind: What it holds, for the message.
        found: Those that hold it.
        wanted: The one that was named, if one was.
        key: Which names it.

    Raises:
        DataError: There are none or several, or not that one.
    """
    if wanted in found or (wanted is None and len(found) == 1):
        return wanted or found[0]
    there = ", ".join(found) or "none"
    received = "null" if wanted is None else wanted
    raise DataError(
        f"{key} must be a feature that is {kind}: {there}. Received: {received}."
    )


def _identify(source: Path, what: object) -> str:
    """Returns a name that changes with the files."""
    digest = hashlib.blake2b(f"{source.resolve()}:{what}\n".encode(), digest_size=12)
    for path in sorted(source.rglob("*")):
        if path.is_file():
            status = path.stat()
            line = f"{path.relative_to(source)}:{status.st_size}:{status.st_mtime_ns}\n"
            digest.update(line.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _write(folder: Path, images: Iterator[Encoded], source: Path) -> None:
    counts: Counter[str] = Counter()
    left_out: Counter[str] = Counter()
    with (folder / _TABLE).open("x", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(_COLUMNS)
        for image in images:
            number = counts[image.split]
            counts[image.split] += 1
            split = split_of(image.split)
            if split is None or image.label is None:
                why = "no class" if split else f"the split {image.split}"
                left_out[why] += 1
                continue
            kind = detect_format(image.content[:64])
            if kind is None:
                raise DataError(f"Image {number} of {image.split} in {source} is none.")
            name = f"{split}/{number:08}.{kind.split()[-1].lower()}"
            path = folder / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(image.content)
            table.writerow((name, image.label, split))
    for why, count in left_out.items():
        _log.warning("%s of %s left out: %s.", count_of(count, "image"), source, why)
    if counts.total() == left_out.total():
        raise DataError(f"{source} has no image with a class and a usual split.")
