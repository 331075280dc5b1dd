"""A user's own images, one folder a class."""

from collections.abc import Callable
from pathlib import Path
from typing import Unpack

from experiments.data.class_folders import list_classes, list_files, require_folder
from experiments.data.dataset import Dataset
from experiments.data.image_files import FileOptions, Part, split_files
from experiments.data.scan import ScannedFile
from experiments.data.splitting import choose_split
from experiments.errors import DataError

_VALIDATION_FOLDERS = ("val", "valid", "validation")


def load_folder(
    *,
    path: str,
    classes: int | None,
    validation_fraction: float,
    test_fraction: float,
    split_by: str,
    split_seed: int,
    **options: Unpack[FileOptions],
) -> Dataset:
    """Lists, verifies and splits a folder of images.

    With a folder `train` the folders `train`, `val` and `test` are the splits: without
    `val` the validation split is taken from `train`, without `test` there is no test
    split. Otherwise `path` holds the class folders and a hash of each file decides its
    split, so that added files move no others.

    Args:
        path: The folder.
        classes: Number of classes to insist on.
        validation_fraction: Share of the validation split.
        test_fraction: Share of the test split, when there is no `train` folder.
        split_by: The hash of a file's `content` or of its relative `path`.
        split_seed: Another seed gives another division.
        options: See `FileOptions`.

    Raises:
        DataError: The folder, a class or an image is missing or unusable.
    """
    root = require_folder(path)

    def choose_by_hash(test: float) -> Callable[[ScannedFile], str]:
        return lambda file: choose_split(
            file.digest if split_by == "content" else file.name,
            validation_fraction=validation_fraction,
            test_fraction=test,
            seed=split_seed,
        )

    class_names, parts = _list_parts(root, choose_by_hash, test_fraction)
    if classes not in (None, len(class_names)):
        raise DataError(
            f"dataset.classes is {classes}, but {root} has {len(class_names)} classes."
        )
    name = root.resolve().name
    return split_files(root, parts, name=name, class_names=class_names, **options)


def _list_parts(
    root: Path,
    choose_by_hash: Callable[[float], Callable[[ScannedFile], str]],
    test_fraction: float,
) -> tuple[list[str], list[Part]]:
    """Returns the class names, and files with what decides their split."""
    train = root / "train"
    if not _holds_folders(train):
        class_names = list_classes(root)
        files = list_files(root, root, class_names)
        return class_names, [(files, choose_by_hash(test_fraction))]
    class_names = list_classes(train)
    files = list_files(root, train, class_names)
    validation = [root / n for n in _VALIDATION_FOLDERS if (root / n).is_dir()]
    parts: list[Part] = []
    if len(validation) > 1:
        names = ", ".join(folder.name for folder in validation)
        raise DataError(f"{root} has more than one validation folder: {names}.")
    if validation:
        held_out = list_files(root, validation[0], class_names)
        parts = [(files, lambda _: "train"), (held_out, lambda _: "validation")]
    else:
        parts = [(files, choose_by_hash(0.0))]
    if (root / "test").is_dir():
        tested = list_files(root, root / "test", class_names)
        parts.append((tested, lambda _: "test"))
    return class_names, parts


def _holds_folders(folder: Path) -> bool:
    return folder.is_dir() and any(p.is_dir() for p in folder.iterdir())
