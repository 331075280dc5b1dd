"""Where the images are that a table names."""

import os
import posixpath
import unicodedata
from pathlib import Path

from experiments.config.reading.values import write_word
from experiments.data.files.place.entries import list_entries


def is_there(root: Path, name: str) -> bool:
    """Tells whether a name leads to anything."""
    return os.path.lexists(f"{root}/{name}")


def advise_on_missing(root: Path, name: str) -> str:
    """Returns where the images may be instead."""
    folders = list_entries(root).folders
    for inner in folders:
        if is_there(root / inner, name):
            return f"Type {write_word('dataset.path', str(root / inner))}"
    if is_there(root.parent, name):
        return f"Type {write_word('dataset.path', str(root.parent))}"
    for suffix in (".jpg", ".jpeg", ".png", ".JPG"):
        if is_there(root, name + suffix):
            return f"The files' names end in {suffix}: write them out in the table."
    return "Mend the table, or name the folder of the images: dataset.path=..."


def relate(name: str, root: Path, folder: str) -> str:
    """Returns a path relative to a folder, as this system writes it.

    Args:
        name: As the table has it: absolute, or relative to the folder.
        root: The folder.
        folder: It again, without links, with a slash at its end.
    """
    if name.startswith("/"):
        name = name.removeprefix(f"{root}/")
        if name.startswith("/"):
            name = name.removeprefix(folder)
    if "\\" in name and not is_there(root, name):
        name = name.replace("\\", "/")  # as Windows writes it
    name = posixpath.normpath(name) if name else name
    if not name.isascii() and not is_there(root, name):
        # As macOS writes letters with marks, or as all others do.
        for form in ("NFC", "NFD"):
            spelt = unicodedata.normalize(form, name)
            if is_there(root, spelt):
                return spelt
    return name
