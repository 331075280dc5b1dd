"""How a folder of images is understood: which of its folders are splits or classes."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from experiments.counts import count_of, name_some
from experiments.data.files.folders.class_folders import (
    LabelledFiles,
    list_classes,
    list_files,
)
from experiments.data.files.place.entries import (
    list_entries,
    list_folders,
    list_inner_folders,
    refuse_broken,
)
from experiments.data.files.place.split_names import hinted_split, split_of
from experiments.data.files.place.whereabouts import require_folder
from experiments.errors import DataError

_SPLITS = ("train", "validation", "test")
_WORDS = {"train": "training"}
_NONE = "dataset.splits={}"


@dataclass(frozen=True)
class Layout:
    """What a folder was understood to hold.

    Attributes:
        class_names: Sorted names of the classes.
        files: Split name -> its files; all are under `train` without split folders.
        splits: Split name -> its folder; empty without split folders.
        unused: Folders, links and loose images that belong to no class, a phrase each.
    """

    class_names: list[str]
    files: dict[str, LabelledFiles]
    splits: dict[str, str]
    unused: list[str]


@dataclass(frozen=True)
class Structure:
    """What a folder's own folders were understood to be, before a file is listed.

    Attributes:
        class_names: Sorted names of the classes.
        splits: Split name -> its folder, relative; empty without split folders.
        folders: Split name -> its folder; `train` is the data set's own without them.
    """

    class_names: list[str]
    splits: dict[str, str]
    folders: dict[str, Path]


def read_layout(
    root: Path, *, splits: Mapping[str, str] | None, classes: int | None
) -> Layout:
    """Lists the classes and files of a folder.

    Args:
        root: The folder.
        splits: Split name -> its folder; empty when every folder is a class, `None`
            to tell by the folders' names.
        classes: How many classes there shall be; settles whether look-alikes are two.

    Raises:
        DataError: The folder can be understood in two ways, or a class is missing.
    """
    structure = read_structure(root, splits=splits, classes=classes)
    names = structure.class_names
    return Layout(
        class_names=names,
        files={
            split: list_files(root, folder, names)
            for split, folder in structure.folders.items()
        },
        splits=structure.splits,
        unused=list_unused(root, structure.splits.values())
        if structure.splits
        else list(list_loose(root, root)),
    )


def read_structure(
    root: Path, *, splits: Mapping[str, str] | None, classes: int | None
) -> Structure:
    """Tells splits and classes by the folders alone, as `read_layout` does.

    Args:
        root: The folder.
        splits: As `read_layout` takes them.
        classes: Likewise.

    Raises:
        DataError: The folder can be understood in two ways, or holds no classes.
    """
    found = find_splits(root) if splits is None else splits
    chosen = {s: descend(root, found[s]) for s in _SPLITS if s in found}
    if not chosen:
        names = list_classes(root, classes)
        if splits is None:
            _question_inner_splits(root)
        return Structure(names, {}, {"train": root})
    folders = {
        split: require_folder(str(root / name), f"dataset.splits.{split}")
        for split, name in chosen.items()
    }
    return Structure(list_classes(folders["train"], classes), chosen, folders)


def refuse_other_count(root: Path, names: Sequence[str], classes: int | None) -> None:
    """Raises where a folder has another number of classes than it must have.

    Args:
        root: The folder.
        names: Of its classes.
        classes: How many there must be; `None` for any number.
    """
    if classes not in (None, len(names)):
        raise DataError(
            f"dataset.classes is {classes}, but {root} has "
            f"{count_of(len(names), 'class', 'classes')}. Type "
            f"dataset.classes={len(names)}, or null to take what is there."
        )


def descend(root: Path, name: str) -> str:
    """Returns a split folder, or the one of its name that is all that it holds.

    Some data sets are published as `training_set/training_set/<class>`.
    """
    if not (root / name).is_dir():
        return name
    entries = list_entries(root / name)
    inner = entries.folders[0] if len(entries.folders) == 1 else ""
    alike = inner == Path(name).name or split_of(inner) == (split_of(name) or "")
    return f"{name}/{inner}" if alike and not entries.images else name


def list_unused(root: Path, used: Iterable[str]) -> list[str]:
    """Returns what a folder of split folders holds beside them, a phrase each.

    Args:
        root: The data set's folder.
        used: The split folders, relative to it.
    """
    names = list(used)
    kept = {Path(name).parts[0] for name in names}
    entries = list_entries(root)
    links = [name for name in entries.folders if (root / name).is_symlink()]
    phrases = [
        f"{name} (a link)" if name in links else name
        for name in entries.folders
        if name not in kept
    ]
    phrases += [f"{name} (a link that leads nowhere)" for name in entries.broken]
    for folder in (root, *(root / name for name in names)):
        phrases += list_loose(root, folder)
    return phrases


def list_loose(root: Path, folder: Path) -> Iterator[str]:
    """Yields a phrase for the images that lie beside the folders of classes."""
    images = list_entries(folder).images
    if images:
        place = folder.relative_to(root)
        where = f" in {place}" if place.parts else ""
        yield f"{count_of(len(images), 'loose image')}{where} ({images[0]})"


def find_splits(root: Path) -> dict[str, str]:
    """Returns split name -> folder as their names say, empty without split folders.

    Raises:
        DataError: They can be understood in two ways.
    """
    entries = list_entries(root)
    for link in entries.broken:
        if split_of(link) is not None:
            refuse_broken(root / link)
    named: dict[str, list[str]] = defaultdict(list)
    for name in entries.folders:
        named[split_of(name) or ""].append(name)
    others = named.pop("", [])
    if not named:
        _question_hints(root, others)
        return {}
    holding = {
        name for names in named.values() for name in names if holds_folders(root / name)
    }
    if any(name in holding for name in named.get("train", ())):
        _question_class_train(root, named, others)
        return _settle(root, named, holding)
    _question_words(root, named, others, holding)
    return {}


def _settle(
    root: Path, named: Mapping[str, Sequence[str]], holding: set[str]
) -> dict[str, str]:
    """Returns one folder a split.

    Raises:
        DataError: A split has two folders, or one without class folders.
    """
    splits = {split: list(names) for split, names in named.items()}
    either = splits.pop("evaluation", [])
    free = [split for split in ("validation", "test") if split not in splits]
    if either and len(free) == 1:
        splits[free[0]] = either
    elif either:
        train = splits["train"][0]
        raise DataError(
            f"{root / either[0]} can be the validation or the test split. Choose: "
            f"{_command({'train': train, 'validation': either[0]})} or "
            f"{_command({'train': train, 'test': either[0]})}"
        )
    chosen = {split: names[0] for split, names in splits.items()}
    for split, names in splits.items():
        if len(names) > 1:
            word = _WORDS.get(split, split)
            raise DataError(
                f"{root} has more than one {word} folder: {', '.join(names)}. Choose "
                f"one, such as {_command(chosen)}"
            )
    bare = [split for split, name in chosen.items() if name not in holding]
    if bare:
        kept = {split: name for split, name in chosen.items() if split not in bare}
        raise DataError(
            f"{root / chosen[bare[0]]} is named like a {bare[0]} split and holds no "
            "class folders. Sort its images into one folder a class, or leave it out: "
            f"{_command(kept)}"
        )
    return chosen


def _question_class_train(
    root: Path, named: Mapping[str, Sequence[str]], others: Sequence[str]
) -> None:
    """Raises where `train` may as well be a class with folders of its own in it."""
    if len(named) > 1 or not others:
        return
    train = named["train"][0]
    inner = list_folders(root / train)
    like_classes = [
        name
        for name in others
        if list_entries(root / name).images and not holds_folders(root / name)
    ]
    if len(inner) > 1 and len(like_classes) < 2:
        return
    raise DataError(
        f"{root} has a folder {train} with {count_of(len(inner), 'folder')} in it, "
        f"beside {name_some(like_classes or others)}: is it the training split, or a "
        f"class? Choose: {_command({'train': train})} or {_NONE}"
    )


def _question_words(
    root: Path,
    named: Mapping[str, Sequence[str]],
    others: Sequence[str],
    holding: set[str],
) -> None:
    """Raises where folders without a training split have the names of splits.

    A folder `train` of images beside other classes is a class, and so is `valid`.
    """
    words = [name for names in named.values() for name in names]
    may_be_class = named.keys() <= {"train", "validation"} and len(words) == 1
    if may_be_class and others and not holding:
        return
    if holding:
        # One class is none to train on.
        several = len(words) + len(others) > 1
        classes = f", or take every folder for a class: {_NONE}" if several else ""
        raise DataError(
            f"{root} has {name_some(words)}, named like splits, and no training split "
            "with class folders in it. Put the class folders to train on into a "
            "folder train, or choose one of another name: "
            f"'dataset.splits={{train: ...}}'"
            f"{classes}"
        )
    raise DataError(
        f"{root} has {name_some(words)}, named like splits, with images directly in "
        "them. If they are splits, sort each one's images into one folder a class; if "
        f"every folder of {name_some([*words, *others])} is a class: {_NONE}"
    )


def _question_hints(root: Path, names: Sequence[str]) -> None:
    """Raises where folders look like splits by a part of their names."""
    hints = {name: split for name in names if (split := hinted_split(name))}
    if "train" not in hints.values() or len(set(hints.values())) < 2:
        return
    splits = {split: name for name, split in hints.items() if split != "evaluation"}
    raise DataError(
        f"{root} has {name_some(hints)}: are they splits or classes? Choose: "
        f"{_command(splits)} or {_NONE}"
    )


def _question_inner_splits(root: Path) -> None:
    """Raises where each class folder has split folders in it, not the reverse."""
    classes = list_folders(root)
    for name in classes:
        inner = {split_of(folder) for folder in list_inner_folders(root / name)}
        if "train" not in inner or len(inner - {None}) < 2:
            return
    raise DataError(
        f"Every class folder of {root} holds splits, such as {root / classes[0]}/train."
        " The splits must be outside, train/<class>; to take all images of a class "
        f"together and divide them by hash: {_NONE}"
    )


def holds_folders(folder: Path) -> bool:
    """Tells whether there are folders, or links that may have led to some."""
    entries = list_entries(folder)
    return bool(entries.folders) or any(not Path(b).suffix for b in entries.broken)


def _command(splits: Mapping[str, str]) -> str:
    """Returns the override that chooses split folders, quoted for a shell."""
    pairs = ", ".join(f"{s}: {_quote(splits[s])}" for s in _SPLITS if s in splits)
    return f"'dataset.splits={{{pairs}}}'"


def _quote(name: str) -> str:
    return name if re.fullmatch(r"[\w./-]+", name) else f'"{name}"'
