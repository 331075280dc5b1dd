"""Lists the images of a folder that has one folder a class."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from experiments.errors import DataError

_SHOWN = 200


@dataclass(frozen=True)
class LabelledFiles:
    """Files and the class of each.

    Attributes:
        names: Relative to the data set's folder, with forward slashes.
        labels: One class index a file.
    """

    names: list[str]
    labels: list[int]


def require_folder(path: str, key: str = "dataset.path") -> Path:
    """Returns an existing folder; `~` is the home folder.

    Raises:
        DataError: It does not exist, is a file or may not be looked into.
    """
    if not path:
        raise DataError(f"{key} must name a folder. Received an empty text.")
    with _reading(path):
        folder = Path(path).expanduser()
        return _require_existing(folder, key)


def _require_existing(folder: Path, key: str) -> Path:
    if folder.is_dir():
        os.scandir(folder).close()  # raises where it may not be looked into
        return folder
    if folder.exists():
        raise DataError(f"{key} must be a folder. Received: the file {folder}.")
    parent = next(p for p in folder.absolute().parents if p.is_dir())
    raise DataError(
        f"{key} does not exist: {folder}. The nearest folder that does is {parent}."
    )


def list_classes(folder: Path) -> list[str]:
    """Returns the names of the class folders, sorted; hidden ones are none.

    Raises:
        DataError: There are fewer than two.
    """
    names = sorted(p.name for p in _visible(folder) if p.is_dir())
    if len(names) < 2:
        loose = sum(1 for p in _visible(folder) if p.is_file())
        raise DataError(
            f"{folder} must hold one folder for each of at least two classes. "
            f"Received: {len(names)} folders and {loose} files."
        )
    return names


def list_files(root: Path, folder: Path, classes: Sequence[str]) -> LabelledFiles:
    """Returns every visible file below the class folders, whatever its name.

    Args:
        root: The data set's folder, to which the names are relative.
        folder: The folder of the class folders, `root` or below it.
        classes: The class folders that must be there, and no others.

    Raises:
        DataError: A class folder is missing, empty or unknown.
    """
    _check_same_classes(folder, classes)
    files = LabelledFiles([], [])
    for label, name in enumerate(classes):
        found = _walk(root, folder / name)
        if not found:
            raise DataError(
                f"The class folder {folder / name} has no files. Add images, or "
                "remove the folder."
            )
        files.names.extend(found)
        files.labels.extend([label] * len(found))
    return files


def _check_same_classes(folder: Path, classes: Sequence[str]) -> None:
    found = {p.name for p in _visible(folder) if p.is_dir()}
    missing = sorted(set(classes) - found)
    unknown = sorted(found - set(classes))
    if missing:
        raise DataError(
            f"{folder} lacks {len(missing)} of {len(classes)} class folders: "
            f"{_some(missing)}. Every split must have every class."
        )
    if unknown:
        raise DataError(
            f"{folder} has {len(unknown)} class folders that the training split lacks: "
            f"{_some(unknown)}. Every split must have the same classes."
        )


def _visible(folder: Path) -> list[Path]:
    with _reading(str(folder)):
        return [p for p in folder.iterdir() if not p.name.startswith(".")]


def _walk(root: Path, folder: Path) -> list[str]:
    """Returns the visible files below a folder, sorted; links are followed.

    They are texts because a million `Path` objects take half a minute.
    """
    files: list[str] = []
    with _reading(str(folder)):
        for current, folders, names in os.walk(folder, True, _raise, followlinks=True):
            folders[:] = sorted(f for f in folders if not f.startswith("."))
            _refuse_loops(Path(current), folders)
            prefix = Path(current).relative_to(root).as_posix()
            files += [f"{prefix}/{n}" for n in sorted(names) if not n.startswith(".")]
    return files


def _raise(error: OSError) -> None:
    """Keeps `os.walk` from leaving out what it may not look into."""
    raise error


def _refuse_loops(folder: Path, names: Sequence[str]) -> None:
    """Raises for a link to a folder above it, whose images would come again."""
    for link in (folder / name for name in names):
        if link.is_symlink() and folder.resolve().is_relative_to(link.resolve()):
            raise DataError(
                f"{link} is a link to a folder that it lies in. Remove the link."
            )


@contextmanager
def _reading(path: str) -> Iterator[None]:
    """Turns what the system says of a folder into an error that names it."""
    try:
        yield
    except (OSError, RuntimeError) as error:  # the latter: no such user's home
        reason = getattr(error, "strerror", None) or str(error)
        name = getattr(error, "filename", None) or path
        shown = str(name) if len(str(name)) <= _SHOWN else f"{str(name)[:_SHOWN]}..."
        raise DataError(f"{shown} cannot be read: {reason}.") from error


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
