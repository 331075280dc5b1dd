"""Lists the images of a folder that has one folder a class."""

import os
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from experiments.counts import count_of
from experiments.data.files.scan import is_text, show_name
from experiments.errors import DataError

_SHOWN = 200
# What systems leave beside images; hidden for its makers, if not by a dot.
_SYSTEM_FOLDERS = frozenset(
    ["__MACOSX", "@eaDir", "__pycache__", "lost+found", "$RECYCLE.BIN"]
)
_IMAGE_SUFFIXES = frozenset(
    [".jpg", ".jpeg", ".png", ".gif", ".bmp", ".webp", ".tif", ".tiff"]
)


@dataclass(frozen=True)
class LabelledFiles:
    """Files and the class of each.

    Attributes:
        names: Relative to the data set's folder, with forward slashes.
        labels: One class index a file.
        folders: The class folder of each, relative likewise.
    """

    names: list[str] = field(default_factory=list)
    labels: list[int] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)


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
    if folder.is_symlink():
        refuse_broken(folder)
    parent = next(p for p in folder.absolute().parents if p.is_dir())
    raise DataError(
        f"{key} does not exist: {folder}. The nearest folder that does is {parent}."
    )


def list_entries(folder: Path) -> Entries:
    """Returns what a folder holds beside hidden and the system's own entries."""
    found = Entries([], [], [], [])
    with _reading(str(folder)), os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            if _is_hidden(entry.name):
                continue
            if entry.is_symlink() and not Path(entry).exists():
                found.broken.append(entry.name)
            elif entry.is_dir():
                found.folders.append(entry.name)
            else:
                found.files.append(entry.name)
                if Path(entry.name).suffix.lower() in _IMAGE_SUFFIXES:
                    found.images.append(entry.name)
    return found


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name in _SYSTEM_FOLDERS


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


def find_classes(folder: Path) -> dict[str, list[str]]:
    """Returns the class names, sorted, and the folders of each.

    Names are compared in Unicode's composed form (NFC): folders that came from another
    system may spell one name otherwise.

    Raises:
        DataError: A link leads nowhere.
    """
    classes: dict[str, list[str]] = defaultdict(list)
    for name in list_folders(folder):
        classes[unicodedata.normalize("NFC", name)].append(name)
    return dict(sorted(classes.items()))


def list_classes(folder: Path, count: int | None = None) -> list[str]:
    """Returns the names of the class folders, sorted; hidden ones are none.

    Args:
        folder: The folder of the class folders.
        count: How many there shall be. It settles whether names that differ only in
            case or blanks are two classes.

    Raises:
        DataError: There are fewer than two, two look alike, or a name would not be
            shown as it is.
    """
    names = list(find_classes(folder))
    unshown = [name for name in names if is_text(name) and show_name(name) != name]
    if unshown:
        raise DataError(
            f"{folder} has a class folder with control characters in its name: "
            f"{show_name(unshown[0])}. Rename it."
        )
    if len(names) < 2:
        raise DataError(
            f"{folder} must hold one folder for each of at least two classes. "
            f"Received: {count_of(len(names), 'folder')} and "
            f"{count_of(len(list_entries(folder).files), 'file')}."
            f"{_hint_at_inner(folder, names)}"
        )
    if count != len(names):
        _question_twins(folder, names)
    return names


def _hint_at_inner(folder: Path, names: Sequence[str]) -> str:
    inner = list_entries(folder / names[0]).folders if names else []
    if len(inner) < 2:
        return ""
    return f" Did you mean {folder / names[0]}, which holds {len(inner)} folders?"


def _question_twins(folder: Path, names: Sequence[str]) -> None:
    alike: dict[str, list[str]] = defaultdict(list)
    for name in names:
        alike[_appearance(name)].append(name)
    twins = [group for group in alike.values() if len(group) > 1]
    if twins:
        shown = "; ".join(" and ".join(map(repr, group)) for group in twins[:5])
        raise DataError(
            f"{folder} has class folders that differ only in case or blanks: {shown}. "
            "If they are one class, move their images into one folder; if not, confirm "
            f"the number of classes: dataset.classes={len(names)}"
        )


def _appearance(name: str) -> str:
    """Returns what a reader sees of a name: no case, width or blanks."""
    seen = unicodedata.normalize("NFKC", name).casefold()
    shown = "".join(c for c in seen if unicodedata.category(c) != "Cf")
    return " ".join(shown.split())


def list_files(root: Path, folder: Path, classes: Sequence[str]) -> LabelledFiles:
    """Returns every visible file below the class folders, whatever its name.

    Args:
        root: The data set's folder, to which the names are relative.
        folder: The folder of the class folders, `root` or below it.
        classes: The classes that must be there, and no others.

    Raises:
        DataError: A class folder is missing, empty or unknown.
    """
    found = find_classes(folder)
    _check_same_classes(folder, found, classes)
    files = LabelledFiles()
    for label, class_name in enumerate(classes):
        for name in found[class_name]:
            names = _walk(root, folder / name)
            files.names.extend(names)
            files.labels.extend([label] * len(names))
            place = (folder / name).relative_to(root).as_posix()
            files.folders.extend([place] * len(names))
        if label not in files.labels[-1:]:
            raise DataError(
                f"The class folder {folder / found[class_name][0]} has no files. Add "
                "images, or remove the folder."
            )
    return files


def list_unchecked(root: Path, folders: Iterable[str]) -> dict[str, list[str]]:
    """Returns class folder -> its visible files, whatever is missing or empty.

    Args:
        root: The data set's folder, to which all names are relative.
        folders: The folders of the class folders; none for `root` itself.

    Raises:
        DataError: `root` is not there, or a folder may not be read.
    """
    require_folder(str(root))
    listed = {}
    for base in list(folders) or ["."]:
        if (root / base).is_dir():
            for name in list_entries(root / base).folders:
                folder = root / base / name
                listed[folder.relative_to(root).as_posix()] = _walk(root, folder)
    return {folder: names for folder, names in listed.items() if names}


def _check_same_classes(
    folder: Path, found: Mapping[str, Sequence[str]], classes: Sequence[str]
) -> None:
    missing = sorted(set(classes) - found.keys())
    unknown = sorted(found.keys() - set(classes))
    twins = [
        f"{other!r} is {name!r} in the training split"
        for name in missing
        for other in unknown
        if _appearance(name) == _appearance(other)
    ]
    if twins:
        raise DataError(
            f"{folder} spells classes otherwise: {_some(twins)}. Give a class the same "
            "name in every split."
        )
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


def _walk(root: Path, folder: Path) -> list[str]:
    """Returns the visible files below a folder, sorted; links are followed.

    They are texts because a million `Path` objects take half a minute.
    """
    files: list[str] = []
    seen: dict[tuple[int, int], str] = {}
    with _reading(str(folder)):
        for current, folders, names in os.walk(folder, True, _raise, followlinks=True):
            _refuse_again(current, seen)
            folders[:] = sorted(f for f in folders if not _is_hidden(f))
            _refuse_loops(Path(current), folders)
            prefix = Path(current).relative_to(root).as_posix()
            files += [f"{prefix}/{n}" for n in sorted(names) if not _is_hidden(n)]
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


def _refuse_again(folder: str, seen: dict[tuple[int, int], str]) -> None:
    """Raises for a folder that links lead to twice: its images would come again.

    Some such links make more ways through a few folders than there are atoms.
    """
    status = os.stat(folder)  # noqa: PTH116
    place = (status.st_dev, status.st_ino)
    if status.st_ino and place in seen:
        raise DataError(
            f"{folder} and {seen[place]} are the same folder, to which a link leads. "
            "Remove the link."
        )
    seen[place] = folder


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
