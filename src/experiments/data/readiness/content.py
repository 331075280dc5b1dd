"""A short look into a class folder: does it hold images, and enough of them?"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from experiments.data.files.place.entries import (
    UNREAD_SUFFIXES,
    is_folder,
    is_hidden,
    is_image_name,
    reading,
    suffix_of,
)
from experiments.data.images.image_header import detect_format

_MOST_FILES, _MOST_FOLDERS = 300, 100
_HEAD_BYTES = 32


@dataclass(frozen=True)
class Content:
    """What was seen of a class folder.

    Attributes:
        files: How many files, as far as they were looked at.
        others: Those that are no images.
        images: Whether there is an image.
        complete: Whether all of it was seen.
    """

    files: int
    others: tuple[str, ...]
    images: bool
    complete: bool


def look_into(folder: Path, *, enough: int) -> Content:
    """Looks until an image and enough files are found, or for long enough.

    A file that is not called like an image is one by its first bytes: names do not
    matter to whoever reads it.

    Args:
        folder: Of a class; images may lie in folders of it.
        enough: Files that need not be counted further.

    Raises:
        DataError: It may not be read.
    """
    files, folders, images = 0, 0, False
    others: list[str] = []
    for place, name in _walk(folder):
        if name is None:
            folders += 1
        else:
            files += 1
            images = images or _is_image(Path(place, name))
            if not images:
                others.append(name)
        is_enough = (images and files >= enough) or files >= _MOST_FILES
        if is_enough or folders > _MOST_FOLDERS:
            return Content(files, tuple(others), images, complete=False)
    return Content(files, tuple(others), images, complete=True)


def count_files(folder: Path, most: int) -> int:
    """Returns how many visible files there are below a folder, or `most`.

    What is in too many folders to be counted counts as many.
    """
    files = folders = 0
    for _, name in _walk(folder):
        files += name is not None
        folders += name is None
        if files >= most or folders > _MOST_FOLDERS:
            return most
    return files


def _walk(folder: Path) -> Iterator[tuple[str, str | None]]:
    """Yields folder and name of the visible files, in whatever order.

    The name is `None` for each folder that is opened: a link may lead in a circle.
    """
    waiting = [str(folder)]
    while waiting:
        place = waiting.pop()
        yield place, None
        with reading(place), os.scandir(place) as entries:
            for entry in entries:
                if is_hidden(entry.name):
                    continue
                if is_folder(entry):
                    waiting.append(entry.path)
                else:
                    yield place, entry.name


def _is_image(file: Path) -> bool:
    if is_image_name(file.name) and suffix_of(file.name) not in UNREAD_SUFFIXES:
        return True  # what it holds is seen when it is read
    try:
        if not file.is_file():  # a pipe would be waited for
            return False
        with file.open("rb") as opened:
            return detect_format(opened.read(_HEAD_BYTES)) is not None
    except OSError:
        return False
