"""The files in which MNIST and CIFAR are published, by their names."""

from collections.abc import Collection
from typing import Literal

ARRAYS = ("x_train", "y_train", "x_test", "y_test")
KINDS = (
    "an .npz file with x_train, y_train, x_test and y_test, CIFAR's .tar.gz or "
    "extracted folder, or a folder of IDX files"
)
# A folder of them holds at most eight.
MOST_FILES = 10_000
CIFAR10_TRAIN = tuple(f"data_batch_{number}" for number in range(1, 6))
CIFAR10_TEST = "test_batch"
CIFAR100_TRAIN, CIFAR100_TEST = "train", "test"
IDX = ("train-images", "train-labels", "t10k-images", "t10k-labels")

Kind = Literal["cifar10", "cifar100", "idx"]


def kind_of(names: Collection[str]) -> Kind | None:
    """Returns which data set files of these names are; `None` for none that is known.

    Args:
        names: Without their folders.
    """
    if CIFAR10_TRAIN[0] in names:
        return "cifar10"
    if CIFAR100_TRAIN in names and CIFAR100_TEST in names:
        return "cifar100"
    return "idx" if any(name.startswith(IDX[0]) for name in names) else None


def list_missing(kind: Kind, names: Collection[str]) -> list[str]:
    """Returns the files that a data set of a kind lacks."""
    if kind == "idx":
        return [
            f"{start}-idx*-ubyte.gz"
            for start in IDX
            if not any(name.startswith(start) for name in names)
        ]
    wanted = (*CIFAR10_TRAIN, CIFAR10_TEST) if kind == "cifar10" else ()
    return [name for name in wanted if name not in names]
