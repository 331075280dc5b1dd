"""Divides files that no folder has divided, by a hash of each or of its group."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from experiments.data.dealing import bind, deal
from experiments.data.division import choose_splits
from experiments.data.files.dividing.grouping import read_groups
from experiments.data.files.scanning.scan import ScannedFile
from experiments.data.folds import Fold, Pool, choose_fold_splits
from experiments.data.labels import Label

STRATIFIED = "stratified"
HELD_OUT = "held_out"  # what is the test split where no fold is


@dataclass(frozen=True, kw_only=True)
class Division:
    """How files are divided.

    Attributes:
        split_by: The hash of a file's `content` or of its relative `path`.
        validation_fraction: Share of the validation split.
        test_fraction: Share of the test split; 0 for none.
        seed: Another one gives another division.
        group: What tells which files stay together, see `read_groups`; `None` when each
            is for itself.
        groups: File -> its group, where a table says so; `None` elsewhere.
        method: `hash`, or `group` for that of a group: where a file is does not depend
            on others. Or `stratified`: each class has its share to within one image,
            copies and groups are whole.
    """

    split_by: str
    validation_fraction: float
    test_fraction: float
    seed: int
    group: str | None = None
    groups: Mapping[str, str] | None = None
    method: str = "hash"

    def name_files(self, files: Sequence[ScannedFile]) -> list[str]:
        """Returns what decides the place of each file."""
        by_content = self.split_by == "content"
        return [file.digest if by_content else file.name for file in files]

    def group_files(self, files: Sequence[ScannedFile]) -> list[str] | None:
        """Returns the group of each file, if there are groups."""
        if self.groups is not None:
            return [self.groups[file.name] for file in files]
        if self.group is None:
            return None
        return read_groups([file.name for file in files], self.group)


def divide_files(
    files: Sequence[ScannedFile], labels: Sequence[Label], division: Division
) -> list[str]:
    """Returns the split of each file, see `choose_splits` and `deal`.

    Args:
        files: As they were scanned.
        labels: The class of each, or classes.
        division: How.

    Raises:
        DataError: A file has no group.
    """
    if division.method == STRATIFIED:
        return _divide_evenly(files, labels, division)
    return choose_splits(
        division.group_files(files) or division.name_files(files),
        labels,
        validation_fraction=division.validation_fraction,
        test_fraction=division.test_fraction,
        seed=division.seed,
    )


def _divide_evenly(
    files: Sequence[ScannedFile], labels: Sequence[Label], division: Division
) -> list[str]:
    """Returns the split of each file where each class has its share in every split."""
    groups = division.group_files(files)
    ties = [[file.digest for file in files], *([groups] if groups else [])]
    bundles = bind([file.name for file in files], labels, ties, seed=division.seed)
    validation, test = division.validation_fraction, division.test_fraction
    shares = {"train": 1 - validation - test, "validation": validation, "test": test}
    names = [name for name, share in shares.items() if share > 0]
    parts = deal(bundles, [shares[name] for name in names])
    splits = [""] * len(files)
    for bundle, part in zip(bundles, parts, strict=True):
        for file in bundle.members:
            splits[file] = names[part]
    return splits


def divide_folds(
    files: Sequence[ScannedFile],
    labels: Sequence[Label],
    division: Division,
    *,
    fold: Fold,
    class_names: Sequence[str],
) -> list[str]:
    """Returns the split of each file where a fold is the test split.

    What would be the test split otherwise is `held_out`. Of the others copies, as far
    as the scan tells, and files of a group are in the same part.

    Args:
        files: As they were scanned.
        labels: The class of each, or classes.
        division: How.
        fold: Which one.
        class_names: One name a class.

    Raises:
        DataError: A file has no group, or a class has too few images.
    """
    kept = list(range(len(files)))
    if division.test_fraction:
        own = divide_files(files, labels, division)
        kept = [place for place in kept if own[place] != "test"]
    folded = [files[place] for place in kept]
    groups = division.group_files(folded)
    pool = Pool(
        names=division.name_files(folded),
        labels=[labels[place] for place in kept],
        ties=[[file.digest for file in folded], *([groups] if groups else [])],
        class_names=class_names,
        seed=division.seed,
    )
    chosen = choose_fold_splits(
        pool, fold, validation_fraction=division.validation_fraction
    )
    splits = [HELD_OUT] * len(files)
    for place, split in zip(kept, chosen, strict=True):
        splits[place] = split
    return splits
