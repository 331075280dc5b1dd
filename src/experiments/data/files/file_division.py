"""Divides files that no folder has divided, by a hash of each."""

from collections.abc import Sequence
from typing import TypedDict, Unpack

from experiments.data.division import choose_splits
from experiments.data.files.scan import ScannedFile


class Shares(TypedDict):
    """How files are divided.

    Attributes:
        validation_fraction: Share of the validation split.
        test_fraction: Share of the test split; 0 for none.
        seed: Another one gives another division.
    """

    validation_fraction: float
    test_fraction: float
    seed: int


def divide_files(
    files: Sequence[ScannedFile],
    labels: Sequence[int],
    *,
    split_by: str,
    **shares: Unpack[Shares],
) -> list[str]:
    """Returns the split of each file, see `choose_splits`.

    Args:
        files: As they were scanned.
        labels: The class of each.
        split_by: The hash of a file's `content` or of its relative `path`.
        shares: See `Shares`.
    """
    names = [file.digest if split_by == "content" else file.name for file in files]
    return choose_splits(names, labels, **shares)
