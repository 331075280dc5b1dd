"""Lists the images of a folder that has one folder a class."""

import os
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from experiments.counts import count_of, name_some
from experiments.data.files.place.entries import (
    is_hidden,
    list_entries,
    list_folders,
    reading,
)
from experiments.data.files.place.whereabouts import describe_no_classes, require_folder
from experiments.data.files.scanning.scan import is_text, show_name
from experiments.data.labels import Label
from experiments.errors import DataError


@dataclass(frozen=True)
class LabelledFiles:
    """Files and the class of each.

    Attributes:
        names: Relative to the data set's folder, with forward slashes.
        labels: The class index of each file, or indices.
        folders: The class folder of each, relative likewise.
    """

    names: list[str] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)


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
        raise DataError(describe_no_classes(folder))
    if count != len(names):
        _question_twins(folder, names)
    return names


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
    if faults := list(find_class_faults(folder, found, classes)):
        raise DataError(" ".join(faults))
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


def find_class_faults(
    folder: Path, found: Mapping[str, Sequence[str]], classes: Sequence[str]
) -> Iterator[str]:
    """Yields what is wrong with the classes of a split, a sentence or two each.

    Args:
        folder: Of the split.
        found: What `find_classes` returned of it.
        classes: Those of the training split.
    """
    missing = sorted(set(classes) - found.keys())
    unknown = sorted(found.keys() - set(classes))
    twins = [
        (name, other)
        for name in missing
        for other in unknown
        if _appearance(name) == _appearance(other)
    ]
    if twins:
        pairs = [f"{ours!r} is {name!r} in the training split" for name, ours in twins]
        yield (
            f"{folder} spells classes otherwise: {name_some(pairs)}. Give a class "
            "the same name in every split."
        )
    spelt = {name for pair in twins for name in pair}
    if missing := [name for name in missing if name not in spelt]:
        wanted = count_of(len(classes), "class folder")
        yield (
            f"{folder} lacks {len(missing):,} of {wanted}: {name_some(missing)}. Every "
            "split must have every class."
        )
    if unknown := [name for name in unknown if name not in spelt]:
        yield (
            f"{folder} has {count_of(len(unknown), 'class folder')} that the training "
            f"split lacks: {name_some(unknown)}. Every split must have the same "
            "classes."
        )


def _walk(root: Path, folder: Path) -> list[str]:
    """Returns the visible files below a folder, sorted; links are followed.

    They are texts because a million `Path` objects take half a minute.
    """
    files: list[str] = []
    seen: dict[tuple[int, int], str] = {}
    with reading(str(folder)):
        for current, folders, names in os.walk(folder, True, _raise, followlinks=True):
            _refuse_again(current, seen)
            folders[:] = sorted(f for f in folders if not is_hidden(f))
            _refuse_loops(Path(current), folders)
            prefix = Path(current).relative_to(root).as_posix()
            files += [f"{prefix}/{n}" for n in sorted(names) if not is_hidden(n)]
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
