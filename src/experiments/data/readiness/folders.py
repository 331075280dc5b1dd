"""What keeps a training on folders of images from beginning."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from experiments.config.schema.dataset import FolderConfig, ImageNetConfig
from experiments.data.files.class_folders import find_class_faults, find_classes
from experiments.data.files.layout import read_structure, refuse_other_count
from experiments.data.files.whereabouts import PATH, require_folder
from experiments.data.files.wordnet_folders import find_wnid_faults
from experiments.data.readiness.class_contents import ClassFolder, find_content_faults
from experiments.data.readiness.training_size import (
    MOST_DIVIDED,
    TrainingSize,
    count_training,
    divide,
)
from experiments.errors import DataError, Problem

_SPLITS = ("train", "validation", "test")


@dataclass
class Look:
    """What a look at a data set told.

    Attributes:
        problems: What is wrong.
        size: What there is to train on; `None` where it suffices, or nobody knows.
    """

    problems: list[Problem] = field(default_factory=list)
    size: TrainingSize | None = None


def look_at_folder(dataset: FolderConfig, batch_size: int) -> Look:
    """Looks at a person's own images, as `load_folder` will understand them.

    Args:
        dataset: Its config.
        batch_size: The most images that a step will have.
    """
    look = Look()
    try:
        _look_at_folder(dataset, batch_size, look)
    except DataError as error:
        look.problems.append(as_problem(error))
    return look


def _look_at_folder(dataset: FolderConfig, batch_size: int, look: Look) -> None:
    root = require_folder(dataset.path)
    structure = read_structure(root, splits=dataset.splits, classes=dataset.classes)
    names, folders = structure.class_names, structure.folders
    try:
        refuse_other_count(root, names, dataset.classes)
    except DataError as error:
        look.problems.append(as_problem(error))
    shares = {
        "validation": 0.0 if "validation" in folders else dataset.validation_fraction,
        "test": 0.0 if structure.splits else dataset.test_fraction,
    }
    made = tuple(s for s in _SPLITS if s == "train" or shares[s])
    found = {split: find_classes(folder) for split, folder in folders.items()}
    classes = [
        ClassFolder(tuple(folders[split] / name for name in spelt), splits)
        for split, known in found.items()
        for splits in [made if split == "train" else (split,)]
        for spelt in known.values()
    ]
    look.problems += _compare_classes(folders, found, names)
    skips = dataset.on_corrupt == "skip" or dataset.verify == "off"
    look.problems += find_content_faults(root, classes, skips=skips)
    if look.problems:
        return
    trained = [
        folder for one in classes if "train" in one.splits for folder in one.folders
    ]
    held_out = sum(shares.values())
    look.size = count_training(trained, held_out, batch_size=batch_size)
    if held_out and look.size is not None and look.size.files <= MOST_DIVIDED:
        train = folders["train"]
        look.size = divide(root, train, names, dataset=dataset, test=shares["test"])


def look_at_imagenet(dataset: ImageNetConfig, batch_size: int) -> Look:
    """Looks at ImageNet's folders, as `load_imagenet` will understand them."""
    look = Look()
    try:
        _look_at_imagenet(dataset, batch_size, look)
    except DataError as error:
        look.problems.append(as_problem(error))
    return look


def _look_at_imagenet(dataset: ImageNetConfig, batch_size: int, look: Look) -> None:
    root = require_folder(dataset.path)
    look.problems += map(_at_path, find_wnid_faults(root, dataset.classes))
    if look.problems:
        return
    held_out = dataset.validation_fraction
    folders = {name: root / name for name in ("train", "val")}
    found = {name: find_classes(folder) for name, folder in folders.items()}
    look.problems += _compare_classes(folders, found, list(found["train"]))
    made = ("train", "validation") if held_out else ("train",)
    classes = [
        ClassFolder((folders[name] / wnid,), made if name == "train" else ("val",))
        for name, known in found.items()
        for wnid in known
    ]
    skips = dataset.on_corrupt == "skip" or dataset.verify == "off"
    look.problems += find_content_faults(root, classes, skips=skips)
    if not look.problems:
        trained = [root / "train" / wnid for wnid in found["train"]]
        look.size = count_training(trained, held_out, batch_size=batch_size)


def _compare_classes(
    folders: Mapping[str, Path],
    found: Mapping[str, Mapping[str, list[str]]],
    names: list[str],
) -> Iterator[Problem]:
    for split, folder in folders.items():
        if split != "train":
            yield from map(_at_path, find_class_faults(folder, found[split], names))


def _at_path(text: str) -> Problem:
    return Problem(PATH, f"cannot be used: {text}")


def as_problem(error: DataError) -> Problem:
    """Returns an error of the data as a problem of the key that it names."""
    key, _, rest = str(error).partition(" ")
    return Problem(key, rest) if key.startswith("dataset.") else _at_path(str(error))
