"""Divides labelled images into splits, always the same way for the same seed."""

import hashlib

import numpy as np
import numpy.typing as npt

from experiments.errors import DataError

Indices = npt.NDArray[np.int64]


def split_stratified(
    labels: npt.NDArray[np.int32], fractions: tuple[float, ...], *, seed: int
) -> tuple[Indices, ...]:
    """Divides so that every class has the same share in each part.

    Args:
        labels: Integers `(N,)`.
        fractions: Share of each part but the first, which gets the rest.
        seed: Decides which image goes where.

    Returns:
        Sorted indices of the first part, then of the part of each fraction.

    Raises:
        DataError: A class has too few images for a part.
    """
    # RandomState's streams are frozen; the newer Generator's may change.
    random = np.random.RandomState(seed)
    parts: list[list[Indices]] = [[] for _ in range(len(fractions) + 1)]
    for label in np.unique(labels):
        members = random.permutation(np.flatnonzero(labels == label))
        ends = np.round(np.cumsum(fractions) * len(members)).astype(int)
        *taken, rest = np.split(members, ends)
        for part, piece in zip(parts, [rest, *taken], strict=True):
            part.append(piece)
            if not len(piece):
                raise DataError(
                    f"Class {label} has {len(members)} images, too few for parts of "
                    f"{', '.join(f'{f:g}' for f in fractions)} and the rest. Add "
                    "images or change dataset.validation_fraction or "
                    "dataset.test_fraction."
                )
    return tuple(np.sort(np.concatenate(part)) for part in parts)


def choose_split(
    name: str, *, validation_fraction: float, test_fraction: float, seed: int
) -> str:
    """Returns `train`, `validation` or `test` for one image, whatever else there is.

    The hash of `name` decides, so that an added image moves no other one. The sizes
    of the splits are therefore only near their fractions.

    Args:
        name: What identifies the image: a relative path or a content hash.
        validation_fraction: Share of the validation split, 0..1.
        test_fraction: Share of the test split, 0..1.
        seed: Another seed gives another division.
    """
    digest = hashlib.blake2b(f"{seed}:{name}".encode(), digest_size=8).digest()
    place = int.from_bytes(digest) / 2**64
    if place < test_fraction:
        return "test"
    return "validation" if place < test_fraction + validation_fraction else "train"
