"""What keeps a local copy of MNIST or CIFAR from being read, without unpacking it."""

import tarfile
import zipfile
from itertools import islice
from pathlib import Path

from experiments.data.arrays.published import (
    ARRAYS,
    KINDS,
    MOST_FILES,
    kind_of,
    list_missing,
)
from experiments.data.files.place.entries import reading
from experiments.data.files.place.whereabouts import PATH, describe_absence
from experiments.data.readiness.folders import as_problem
from experiments.errors import DataError, Problem

_PACKED = (b"\x1f\x8b", b"BZh")


def look_at_archive(path: str) -> list[Problem]:
    """Returns what is wrong with the file or folder that `dataset.path` names."""
    try:
        with reading(path):
            fault = _find_fault(Path(path).expanduser())
    except DataError as error:
        return [as_problem(error)]
    if fault is None:
        return []
    return [Problem(PATH, f"{fault}. Received: {path}.", f"It must be {KINDS}.")]


def _find_fault(path: Path) -> str | None:
    if not path.exists():
        raise DataError(describe_absence(path))
    if path.is_dir():
        return _find_fault_of_folder(path)
    if not path.is_file():
        return "names neither a file nor a folder"
    if zipfile.is_zipfile(path):
        return _find_fault_of_zip(path)
    with path.open("rb") as file:
        head = file.read(max(map(len, _PACKED)))
    if head.startswith(_PACKED) or tarfile.is_tarfile(path):
        return None  # what is in it is seen when it is unpacked
    return "names a file that is no archive"


def _find_fault_of_folder(folder: Path) -> str | None:
    found = list(islice(folder.rglob("*"), MOST_FILES + 1))
    if len(found) > MOST_FILES:
        return f"names a folder of more than {MOST_FILES:,} files"
    names = {path.name for path in found}
    kind = kind_of(names)
    if kind is None:
        return "names a folder without the published files"
    missing = list_missing(kind, names)
    return f"names a folder that lacks {', '.join(missing)}" if missing else None


def _find_fault_of_zip(path: Path) -> str | None:
    try:
        with zipfile.ZipFile(path) as stored:
            names = {name.removesuffix(".npy") for name in stored.namelist()}
    except zipfile.BadZipFile:
        return "names a damaged file"
    missing = [name for name in ARRAYS if name not in names]
    return (
        f"names a file that lacks the arrays {', '.join(missing)}" if missing else None
    )
