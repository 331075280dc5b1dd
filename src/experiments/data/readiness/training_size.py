"""How many images a folder gives to train on, counted as far as it matters."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from experiments.config.schema.datasets.files import DividedFilesConfig
from experiments.counts import count_of
from experiments.data.files.dividing.file_division import (
    STRATIFIED,
    Division,
    divide_files,
    divide_folds,
)
from experiments.data.files.folders.class_folders import LabelledFiles
from experiments.data.files.scanning.scan import scan_files
from experiments.data.folds import as_fold
from experiments.data.readiness.content import count_files
from experiments.errors import Problem

# Of so many files the division is worked out as the training will; of more images than
# are counted no batch is made.
MOST_DIVIDED, _MOST_COUNTED = 1000, 50_000


@dataclass(frozen=True)
class TrainingSize:
    """How many images there are to train on.

    Attributes:
        images: How many, those of unusable files included.
        files: Of all that are divided.
        exact: Whether the division was worked out.
    """

    images: int
    files: int
    exact: bool


def count_training(
    folders: Sequence[Path], held_out: float, *, batch_size: int
) -> TrainingSize | None:
    """Returns how many images there are; `None` where it is clear that they suffice.

    Args:
        folders: Of the classes.
        held_out: Share of their images that is not trained on.
        batch_size: The most that may be needed.
    """
    most = math.ceil(2 * batch_size / (1 - held_out))
    files = 0
    for folder in folders:
        if files >= most or files >= _MOST_COUNTED:
            return None
        files += count_files(folder, most)
    if files >= most or files >= _MOST_COUNTED:
        return None
    return TrainingSize(round(files * (1 - held_out)), files, exact=not held_out)


def divide(
    root: Path,
    listed: Sequence[LabelledFiles],
    names: Sequence[str],
    *,
    dataset: DividedFilesConfig,
    test: float,
    groups: Mapping[str, str] | None = None,
) -> TrainingSize | None:
    """Works out how many of a few files are trained on.

    Args:
        root: The data set's folder.
        listed: What is divided; where there are folds, the validation split too.
        names: Of the classes.
        dataset: Says how they are divided.
        test: Share of the test split.
        groups: File -> its group, where a table says so.

    Returns:
        `None` where some are no images, for which it is refused when they are read.

    Raises:
        DataError: A file has no group, or a class has too few images for its folds.
    """
    fold = as_fold(dataset.folds, dataset.fold)
    alike = dataset.split == STRATIFIED or fold is not None  # copies stay together
    by_name = dataset.split_by == "path" and (not alike or dataset.verify == "off")
    labels = [label for files in listed for label in files.labels]
    scanned = scan_files(
        root,
        [name for files in listed for name in files.names],
        verify="off" if by_name else "header",
    )
    pairs = [(f, n) for f, n in zip(scanned, labels, strict=True) if not f.fault]
    if len(pairs) < len(scanned) and dataset.on_corrupt == "error":
        return None
    usable, labels = [file for file, _ in pairs], [label for _, label in pairs]
    division = Division(
        split_by=dataset.split_by,
        validation_fraction=dataset.validation_fraction,
        test_fraction=test,
        seed=dataset.split_seed,
        method=dataset.split,
        group=dataset.group,
        groups=groups,
    )
    splits = (
        divide_files(usable, labels, division)
        if fold is None
        else divide_folds(usable, labels, division, fold=fold, class_names=names)
    )
    return TrainingSize(splits.count("train"), len(pairs), exact=True)


def find_batch_fault(size: TrainingSize, batch_size: int, path: str) -> Problem | None:
    """Returns the problem of a batch that has more images than there are.

    Args:
        size: What there is to train on.
        batch_size: Images a step.
        path: The data set's folder.
    """
    # What was not divided may come out a little differently.
    certain = size.images if size.exact else size.files
    if certain >= batch_size:
        return None
    about = "" if size.exact else "about "
    reason = f"must be at most {about}{size.images:,}: "
    if size.images == size.files:
        reason += f"there are no more images to train on in {path}."
    else:
        total = count_of(size.files, "image")
        reason += f"so many of {total} in {path} are trained on."
    fitting = 2 ** max(0, max(size.images, 1).bit_length() - 1)
    return Problem(
        "trainer.batch_size",
        f"{reason} Received: {batch_size:,}.",
        f"Type trainer.batch_size={fitting}, or add images.",
    )
