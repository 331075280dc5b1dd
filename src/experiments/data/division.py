"""Divides labelled images into splits, always the same way for the same seed."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from experiments.counts import count_of
from experiments.errors import DataError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from experiments.data.labels import Label

    Indices = npt.NDArray[np.int64]


def split_stratified(
    labels: "npt.NDArray[np.int32]", fractions: tuple[float, ...], *, seed: int
) -> "tuple[Indices, ...]":
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
    import numpy as np  # what files hold is divided without it

    if labels.ndim != 1:
        raise DataError(
            "Images of several classes are not divided by class. Hand over their "
            "splits."
        )
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
                shares = ", ".join(f"{fraction:g}" for fraction in fractions)
                raise DataError(
                    f"Class {label} has {count_of(len(members), 'image')}, too few for "
                    f"parts of {shares} and the rest. Add "
                    "images or change dataset.validation_fraction or "
                    "dataset.test_fraction."
                )
    return tuple(np.sort(np.concatenate(part)) for part in parts)


def choose_splits(
    names: Sequence[str],
    labels: "Sequence[Label]",
    *,
    validation_fraction: float,
    test_fraction: float,
    seed: int,
) -> list[str]:
    """Returns `train`, `validation` or `test` for each image.

    The hash of its name gives each image a place of its own, whatever else there is,
    so that added images move no others. The sizes of the splits are therefore only
    near their fractions, and chance may leave a split without an image of a small
    class. Then, and only in that class, such a split borrows the one image whose place
    is nearest to it from a split that has others.

    A class therefore has an image in every split as soon as it has as many different
    names as there are splits; a smaller one is left where the places put it. No more
    images are away from their places than it has splits that are empty by place. From
    then on adding images can only lower that number: those that come back and those
    that go instead are all that moves, at most two for each split that was empty before
    and none in a class that had no such split.

    Args:
        names: What identifies each image: a relative path or a content hash. Equal
            names stay together, and one that two classes have is never borrowed.
        labels: The class of each image; all classes of an image that may have several
            count as a class of their own.
        validation_fraction: Share of the validation split, 0..1; 0 for none.
        test_fraction: Share of the test split, 0..1; 0 for none.
        seed: Another seed gives another division.
    """
    ends = {
        "test": (0.0, test_fraction),
        "validation": (test_fraction, test_fraction + validation_fraction),
        "train": (test_fraction + validation_fraction, 1.0),
    }
    splits = {split: pair for split, pair in ends.items() if pair[0] < pair[1]}
    places = {name: _place(name, seed) for name in set(names)}
    classes: dict[Label, set[str]] = defaultdict(set)
    for name, label in zip(names, labels, strict=True):
        classes[label].add(name)
    counts = Counter(name for members in classes.values() for name in members)
    chosen = {name: _split_at(place, splits) for name, place in places.items()}
    for members in classes.values():
        if len({chosen[name] for name in members}) < len(splits) <= len(members):
            movable = {name: places[name] for name in members if counts[name] == 1}
            _lend(members, movable, splits, chosen)
    return [chosen[name] for name in names]


def _lend(
    members: set[str],
    movable: Mapping[str, float],
    splits: Mapping[str, tuple[float, float]],
    chosen: dict[str, str],
) -> None:
    """Gives each split that has no image of a class the nearest one to spare."""
    sizes = Counter(chosen[name] for name in members)
    for split, (low, high) in splits.items():
        spare = [
            (max(low - place, place - high), name)
            for name, place in movable.items()
            if sizes[chosen[name]] > 1
        ]
        if sizes[split] or not spare:
            continue
        _, name = min(spare)
        sizes[chosen[name]] -= 1
        chosen[name] = split
        sizes[split] = 1


def _split_at(place: float, splits: Mapping[str, tuple[float, float]]) -> str:
    for split, (_, end) in splits.items():
        if place < end:
            return split
    return list(splits)[-1]  # where fractions add up to a little less than 1


def _place(name: str, seed: int) -> float:
    """Returns a number in 0..1 that looks random and belongs to a name."""
    digest = hashlib.blake2b(f"{seed}:{name}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) / 2**64
