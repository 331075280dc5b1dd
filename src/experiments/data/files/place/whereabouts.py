"""The folder of a data set, and where it may be when it is not where it was named."""

import os
from collections import Counter, deque
from collections.abc import Iterator
from difflib import get_close_matches
from itertools import islice
from pathlib import Path

from experiments.config.reading.values import write_word
from experiments.counts import count_of
from experiments.data.files.place.entries import (
    Entries,
    is_image_name,
    list_entries,
    list_inner_folders,
    reading,
    refuse_broken,
    suffix_of,
)
from experiments.data.files.place.packed import packed_name, unpack_command
from experiments.data.files.place.split_names import split_of
from experiments.errors import DataError

PATH = "dataset.path"
# Folders that are looked into for one that was meant, and files of each.
_MOST_LOOKED_AT, _DEPTH, _MOST_FILES = 40, 3, 50
_ALIKE = 0.7


def require_folder(path: str, key: str = PATH) -> Path:
    """Returns an existing folder; `~` is the home folder.

    Raises:
        DataError: It does not exist, is a file or may not be looked into; says what
            may have been meant.
    """
    if not path:
        raise DataError(f"{key} must name a folder. Received an empty text.")
    with reading(path):
        folder = Path(path).expanduser()
        return _require_existing(folder, key)


def _require_existing(folder: Path, key: str) -> Path:
    if folder.is_dir():
        os.scandir(folder).close()  # raises where it may not be looked into
        return folder
    if folder.exists():
        raise DataError(
            f"{key} must be a folder. Received: the file {folder}."
            f"{_hint_at_packed([folder], typed=folder)}"
        )
    if folder.is_symlink():
        refuse_broken(folder)
    raise DataError(describe_absence(folder, key))


def describe_absence(path: Path, key: str = PATH) -> str:
    """Returns the sentences that say what may have been meant by a missing path."""
    absolute = path.absolute()
    parent = next(p for p in absolute.parents if p.is_dir())
    there = f"{key} does not exist: {path}. The nearest folder that does is {parent}."
    wanted, *rest = absolute.relative_to(parent).parts
    entries = list_entries(parent)
    meant = _find_alike(wanted, entries.folders)
    if meant is not None and Path(parent, meant, *rest).exists():
        return there + ask_whether(Path(parent, meant, *rest), key)
    packed = [name for name in entries.files if packed_name(name) == wanted]
    return there + _hint_at_packed([parent / n for n in packed], typed=absolute)


def _find_alike(wanted: str, names: list[str]) -> str | None:
    spelt = {name.casefold(): name for name in names}
    found = get_close_matches(wanted.casefold(), spelt, n=1, cutoff=_ALIKE)
    return spelt[found[0]] if found else None


def describe_no_classes(folder: Path) -> str:
    """Returns the sentences that say why a folder holds no classes, and which may."""
    entries = list_entries(folder)
    received = count_of(len(entries.folders), "folder")
    received += f" and {count_of(len(entries.files), 'file')}"
    kinds = "" if entries.images else describe_kinds(entries.files)
    return (
        f"{folder} must hold one folder for each of at least two classes. "
        f"Received: {received}{kinds}.{_hint(folder, entries)}"
    )


def describe_kinds(files: list[str]) -> str:
    """Returns the kinds of files by their names, in brackets; empty without any."""
    counts = Counter(suffix_of(name) or "no suffix" for name in files)
    kinds = [kind for kind, _ in counts.most_common(3)]
    return f" ({', '.join(kinds)})" if kinds else ""


def _hint(folder: Path, entries: Entries) -> str:
    packed = [folder / name for name in entries.files if packed_name(name)]
    if (inner := find_inside(folder)) is not None:
        return ask_whether(inner)
    if packed and not entries.images:
        return _hint_at_packed(packed, typed=folder)
    if not entries.images or entries.folders:
        return " Put the images of each class into a folder of its own there."
    if (outer := _find_outside(folder)) is not None:
        return ask_whether(outer)
    return (
        " Its images lie directly in it: sort them into one folder a class, such as "
        f"{folder / 'cat'} and {folder / 'dog'}."
    )


def ask_whether(folder: Path, key: str = PATH) -> str:
    """Returns the question whether another folder was meant, and what to type.

    It begins with a blank: it follows the sentence that says what is wrong.
    """
    holds = ""
    if folder.is_dir() and (inner := list_inner_folders(folder)):
        holds = f", which holds {count_of(len(inner), 'folder')}"
    typed = f" Type {type_path(folder)}" if key == PATH else ""
    return f" Did you mean {folder}{holds}?{typed}"


def type_path(path: Path, key: str = PATH) -> str:
    """Returns the override that names a path, short where the command was typed."""
    from hydra.utils import to_absolute_path

    typed_in = Path(to_absolute_path(""))
    below = path.is_relative_to(typed_in) and path != typed_in
    return write_word(key, str(path.relative_to(typed_in) if below else path))


def _hint_at_packed(files: list[Path], *, typed: Path) -> str:
    """Returns how to unpack the first of the packed files, and what to type then."""
    packed = [file for file in files if packed_name(file.name)]
    if not packed:
        return ""
    folder = packed[0].with_name(str(packed_name(packed[0].name)))
    command = unpack_command(packed[0])
    if folder == typed:
        return f" {packed[0].name} is packed. Unpack it first: {command}"
    then = type_path(folder)
    return f" {packed[0].name} is packed. Type {then} after unpacking it: {command}"


def find_inside(folder: Path) -> Path | None:
    """Returns the nearest folder below that seems to hold classes or splits."""
    waiting = deque([(folder, 0)])
    looked_at = 0
    while waiting and looked_at < _MOST_LOOKED_AT:
        place, depth = waiting.popleft()
        looked_at += 1
        try:
            names = list_inner_folders(place)
        except DataError:  # which may not be looked into
            continue
        if depth and _may_be_set(place, names):
            return place
        if depth < _DEPTH:
            waiting.extend((place / name, depth + 1) for name in names)
    return None


def _may_be_set(folder: Path, names: list[str]) -> bool:
    if any(split_of(name) == "train" for name in names):
        return True
    return len(names) > 1 and any(_holds_images(folder / n) for n in names[:5])


def _find_outside(folder: Path) -> Path | None:
    """Returns the folder above in which others hold images too: one class was named."""
    parent = folder.absolute().parent
    if split_of(parent.name) is not None and _has_train(parent.parent):
        return parent.parent
    others = [name for name in list_inner_folders(parent) if name != folder.name]
    alike = any(_holds_images(parent / name) for name in others[:_MOST_LOOKED_AT])
    return parent if alike else None


def _has_train(folder: Path) -> bool:
    return any(split_of(name) == "train" for name in list_inner_folders(folder))


def _holds_images(folder: Path) -> bool:
    return any(is_image_name(name) for name in _list_first(folder))


def _list_first(folder: Path) -> Iterator[str]:
    try:
        with os.scandir(folder) as entries:
            yield from [entry.name for entry in islice(entries, _MOST_FILES)]
    except OSError:
        return
