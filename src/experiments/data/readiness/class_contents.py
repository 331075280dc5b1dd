"""What keeps class folders from being trained on, told by a short look at each."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from experiments.counts import agree, count_of, name_some
from experiments.data.files.place.packed import packed_name, unpack_command
from experiments.data.files.place.whereabouts import (
    PATH,
    ask_whether,
    describe_kinds,
    find_inside,
)
from experiments.data.readiness.content import Content, look_into
from experiments.errors import DataError, Problem

# A network's disk may take as long for each folder: what is left is seen when all of
# it is read.
_SECONDS = 0.25
_READ = "JPEG, PNG, BMP, WebP and GIF are read"


@dataclass(frozen=True)
class ClassFolder:
    """The folders of one class in one split.

    Attributes:
        folders: More than one where they spell its name in several ways.
        splits: What is made of it: each needs an image.
    """

    folders: tuple[Path, ...]
    splits: tuple[str, ...]


def find_content_faults(
    root: Path,
    classes: Sequence[ClassFolder],
    *,
    skips: bool,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Problem]:
    """Yields what is wrong in the class folders, as far as a short look tells.

    Args:
        root: The data set's folder.
        classes: What to look into.
        skips: Whether files that are no images are left out, or not opened, rather
            than an error.
        clock: Seconds.
    """
    empty: list[Path] = []
    few: list[str] = []
    alien: list[str] = []
    end = clock() + _SECONDS
    for one in classes:
        if clock() > end:
            break
        try:
            content = _look(one)
        except DataError as error:
            yield Problem(PATH, f"cannot be used: {error}")
            return
        place = one.folders[0]
        if not content.files:
            empty.append(place)
        elif not content.images:
            if content.complete or not skips:
                alien.append(_describe_alien(place, content))
        elif content.complete and content.files < len(one.splits):
            few.append(f"{place} ({content.files:,})")
    inner = find_inside(root) if empty or alien else None
    question = "" if inner is None else ask_whether(inner)
    yield from _tell(empty, few, alien, question, classes)


def _look(one: ClassFolder) -> Content:
    seen = [look_into(folder, enough=len(one.splits)) for folder in one.folders]
    return Content(
        files=sum(content.files for content in seen),
        others=tuple(name for content in seen for name in content.others),
        images=any(content.images for content in seen),
        complete=all(content.complete for content in seen),
    )


def _describe_alien(folder: Path, content: Content) -> str:
    """Returns what a class folder holds instead of images, and what helps."""
    names = list(content.others)
    least = "" if content.complete else "more than "
    files = f"{least}{count_of(len(names), 'file')}{describe_kinds(names)}"
    packed = [name for name in names if packed_name(name)]
    advice = f"; to unpack: {unpack_command(folder / packed[0])}" if packed else ""
    return f"{folder} holds {files}{advice}"


def _tell(
    empty: Sequence[Path],
    few: Sequence[str],
    alien: Sequence[str],
    question: str,
    classes: Sequence[ClassFolder],
) -> Iterator[Problem]:
    if empty:
        those = agree(len(empty), "a class folder", f"{len(empty):,} class folders")
        them = agree(len(empty), "it", "them")
        reason = f"has {those} without a file: {name_some(empty)}."
        yield Problem(PATH, reason, f"Add images, or remove {them}.{question}")
    if alien:
        those = agree(len(alien), "a class folder", f"{len(alien):,} class folders")
        reason = f"has {those} without an image: {name_some(alien)}."
        asked = "" if empty else question
        yield Problem(PATH, reason, f"{_READ}; save them as one of these.{asked}")
    if few:
        splits = max((one.splits for one in classes), key=len)
        reason = (
            f"has too few images of {agree(len(few), 'a class', 'some classes')}: "
            f"{name_some(few)}. There must be one for each of {_count(splits)}."
        )
        yield Problem(PATH, reason, "Add images, or remove the folder.")


def _count(splits: Sequence[str]) -> str:
    """Returns what each class is divided into: `train, test` or `5 folds, test`."""
    counts = Counter(splits).items()
    return ", ".join(name if n == 1 else count_of(n, name) for name, n in counts)
