"""What keeps a training on folders of images from beginning."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from experiments.config.schema.datasets.dataset import (
    FilesConfig,
    FolderConfig,
    ImageNetConfig,
)
from experiments.data.files.folders.class_folders import (
    find_class_faults,
    find_classes,
    list_files,
)
from experiments.data.files.folders.layout import read_structure, refuse_other_count
from experiments.data.files.folders.wordnet_folders import find_wnid_faults
from experiments.data.files.place.whereabouts import PATH, require_folder
from experiments.data.readiness.class_contents import ClassFolder, find_content_faults
from experiments.data.readiness.training_size import (
    MOST_DIVIDED,
    TrainingSize,
    count_training,
    divide,
)
from experiments.errors import DataError, Problem


@dataclass
class Look:
    """What a look at a data set told.

    Attributes:
        problems: What is wrong.
        size: What there is to train on; `None` where it suffices, or nobody knows.
        class_names: Of the data; `None` where a look does not tell them.
    """

    problems: list[Problem] = field(default_factory=list)
    size: TrainingSize | None = None
    class_names: Sequence[str] | None = None


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
    look.class_names = names
    try:
        refuse_other_count(root, names, dataset.classes)
    except DataError as error:
        look.problems.append(as_problem(error))
    test = 0.0 if structure.splits else dataset.test_fraction
    is_given = "validation" in folders and dataset.folds is None
    validation = 0.0 if is_given else dataset.validation_fraction
    divided, made = ["train"], ("train", *(["validation"] if validation else []))
    if dataset.folds is not None:
        divided = [split for split in folders if split != "test"]
        made = ("fold",) * dataset.folds
    made = (*made, *(["test"] if test else []))
    found = {split: find_classes(folder) for split, folder in folders.items()}
    classes = list(_list_classes(folders, found, divided, made))
    look.problems += _compare_classes(folders, found, names)
    skips = dataset.on_corrupt == "skip" or dataset.verify == "off"
    look.problems += find_content_faults(root, classes, skips=skips)
    if look.problems:
        return
    trained = [place for one in classes if one.splits == made for place in one.folders]
    held_out = hold_out(dataset, validation)
    held_out = test + (held_out if dataset.folds is None else (1 - test) * held_out)
    look.size = count_training(trained, held_out, batch_size=batch_size)
    if held_out and look.size is not None and look.size.files <= MOST_DIVIDED:
        listed = [list_files(root, folders[split], names) for split in divided]
        look.size = divide(root, listed, names, dataset=dataset, test=test)


def _list_classes(
    folders: Mapping[str, Path],
    found: Mapping[str, Mapping[str, Sequence[str]]],
    divided: Sequence[str],
    made: tuple[str, ...],
) -> Iterator[ClassFolder]:
    """Yields the folders of each class: of what is divided, then of other splits."""
    together: dict[str, list[Path]] = defaultdict(list)
    for split in divided:
        for name, spelt in found[split].items():
            together[name] += [folders[split] / folder for folder in spelt]
    yield from (ClassFolder(tuple(places), made) for places in together.values())
    for split in (split for split in folders if split not in divided):
        for spelt in found[split].values():
            places = tuple(folders[split] / folder for folder in spelt)
            yield ClassFolder(places, (split,))


def hold_out(dataset: FilesConfig, validation: float) -> float:
    """Returns the share of what is divided that is not trained on.

    Args:
        dataset: Says whether there are folds.
        validation: Share of the validation split.
    """
    if dataset.folds is None:
        return validation
    return 1 - (1 - 1 / dataset.folds) * (1 - validation)


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
    held_out = hold_out(dataset, dataset.validation_fraction)
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
