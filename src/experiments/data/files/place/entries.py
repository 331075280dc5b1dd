"""What one folder holds, beside what is hidden."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from shlex import quote
from typing import NoReturn

from experiments.errors import DataError

_SHOWN = 200
# What systems leave beside images; hidden for its makers, if not by a dot.
_SYSTEM_NAMES = frozenset(
    (
        *("__macosx", "@eadir", "__pycache__", "lost+found", "$recycle.bin"),
        *("thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r"),
    )
)
# Called like images, and not read: whoever has them is told.
UNREAD_SUFFIXES = frozenset([".tif", ".tiff", ".heic", ".heif", ".avif"])
_IMAGE_SUFFIXES = UNREAD_SUFFIXES | {".jpg", ".jpeg", ".png", ".gif", ".bmp", ".webp"}
# Whoever keeps folders in a folder has no more files than that beside them.
_MOST_FILES_BESIDE = 10_000


@dataclass(frozen=True)
class Entries:
    """What a folder holds, hidden entries left out; sorted names.

    Attributes:
        folders: Folders, and links to such.
        broken: Links that lead nowhere.
        images: Files with the name of an image.
        files: All files.
    """

    folders: list[str]
    broken: list[str]
    images: list[str]
    files: list[str]


def list_entries(folder: Path) -> Entries:
    """Returns what a folder holds beside hidden and the system's own entries."""
    found = Entries([], [], [], [])
    with reading(str(folder)), os.scandir(folder) as entries:
        for entry in entries:
            _place(entry, found)
    for names in (found.folders, found.broken, found.images, found.files):
        names.sort()
    return found


def _place(entry: "os.DirEntry[str]", found: Entries) -> None:
    name = entry.name
    if is_hidden(name):
        return
    if entry.is_symlink() and not Path(entry).exists():
        found.broken.append(name)
    elif is_folder(entry):
        found.folders.append(name)
    else:
        found.files.append(name)
        if is_image_name(name):
            found.images.append(name)


def list_inner_folders(folder: Path) -> list[str]:
    """Returns the folders in a folder, of which a class may have a million files.

    What has more than a few thousand files counts as one that has no folders.
    """
    with reading(str(folder)), os.scandir(folder) as entries:
        first = islice(entries, _MOST_FILES_BESIDE)
        return sorted(e.name for e in first if not is_hidden(e.name) and is_folder(e))


def is_folder(entry: "os.DirEntry[str]") -> bool:
    """Tells whether an entry is a folder; links that lead to one another are none."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def is_hidden(name: str) -> bool:
    """Tells whether an entry is hidden, or one that systems leave beside images."""
    return name.startswith(".") or name.lower() in _SYSTEM_NAMES


def is_image_name(name: str) -> bool:
    """Tells whether a file is called like an image."""
    return suffix_of(name) in _IMAGE_SUFFIXES


def suffix_of(name: str) -> str:
    """Returns the end of a file's name, `.jpg`; empty without one."""
    return os.path.splitext(name)[1].lower()  # noqa: PTH122 (of a million names)


def list_folders(folder: Path) -> list[str]:
    """Returns the names of the visible folders in a folder.

    Raises:
        DataError: A link leads nowhere: what it stood for would be missing.
    """
    entries = list_entries(folder)
    if entries.broken:
        refuse_broken(folder / entries.broken[0])
    return entries.folders


def refuse_broken(link: Path) -> NoReturn:
    """Raises the error that names a link which leads nowhere."""
    raise DataError(
        f"{link} is a link to {link.readlink()}, which is not there. Mend the link, or "
        "remove it if what it led to shall be left out."
    )


@contextmanager
def reading(path: str) -> Iterator[None]:
    """Turns what the system says of a folder into an error that names it."""
    try:
        yield
    except (OSError, RuntimeError) as error:  # the latter: no such user's home
        reason = getattr(error, "strerror", None) or str(error)
        name = getattr(error, "filename", None) or path
        shown = str(name) if len(str(name)) <= _SHOWN else f"{str(name)[:_SHOWN]}..."
        advice = (
            f" Whoever owns it can let you read it: chmod -R a+rX {quote(shown)}"
            if isinstance(error, PermissionError)
            else ""
        )
        raise DataError(f"{shown} cannot be read: {reason}.{advice}") from error
