"""Cross-validation: each image is in the test part of exactly one of k jobs.

A job trains on the images of the other folds, of which a validation part is cut off.
That decides when to stop and which epoch is the best, so that no image that is scored
has had a say in it. What the data set holds out as its own test split takes no part.

Reference:
    Stone (1974), Cross-validatory choice and assessment of statistical predictions,
    Journal of the Royal Statistical Society B 36.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from experiments.counts import count_of
from experiments.data.dealing import Bundle, Ties, bind, deal
from experiments.data.labels import Label
from experiments.errors import DataError

_KEPT = ("train", "validation")  # parts of what is in no other fold


@dataclass(frozen=True)
class Fold:
    """Which of how many.

    Attributes:
        number: 1 to `count`.
        count: How many folds there are.
    """

    number: int
    count: int


def as_fold(folds: int | None, fold: int | None) -> Fold | None:
    """Returns what `dataset.folds` and `dataset.fold` say; `None` without folds.

    Raises:
        DataError: They do not fit each other.
    """
    if folds is None and fold is None:
        return None
    if folds is None or fold is None or not 1 <= fold <= folds or folds < 2:
        raise DataError(
            "dataset.fold must be 1 to dataset.folds, which must be 2 or more. "
            f"Received: {fold} of {folds}."
        )
    return Fold(fold, folds)


@dataclass(frozen=True, kw_only=True)
class Pool:
    """All images that are divided into folds.

    Attributes:
        names: One an image, each another: a relative path, or its number.
        labels: The class of each, or classes.
        ties: Columns of one value an image: what shares one stays together. The first
            are digests, and groups of a person's own follow.
        class_names: One name a class.
        seed: Decides which image goes where.
    """

    names: Sequence[str]
    labels: Sequence[Label]
    ties: Sequence[Ties]
    class_names: Sequence[str]
    seed: int


def choose_fold_splits(
    pool: Pool, fold: Fold, *, validation_fraction: float
) -> list[str]:
    """Returns `train`, `validation` or `test` for each image.

    Which fold an image is in follows from names, labels, ties, the number of folds and
    the seed, whatever the order of the images, and so do the validation parts.

    Args:
        pool: The images.
        fold: The one that is the test part.
        validation_fraction: Share of the other images.

    Raises:
        DataError: A class has too few images, or groups of them.
    """
    bundles = bind(pool.names, pool.labels, pool.ties, seed=pool.seed)
    _refuse_few(pool, bundles, fold.count)
    folds = deal(bundles, [1 / fold.count] * fold.count)
    names = [f"fold {number + 1}" for number in range(fold.count)]
    _refuse_bare(pool, bundles, folds, names)
    rest = [b for b, n in zip(bundles, folds, strict=True) if n != fold.number - 1]
    parts = deal(rest, [1 - validation_fraction, validation_fraction])
    _refuse_bare(pool, rest, parts, _KEPT)
    chosen = ["test"] * len(pool.names)
    for bundle, part in zip(rest, parts, strict=True):
        for image in bundle.members:
            chosen[image] = _KEPT[part]
    return chosen


def _refuse_few(pool: Pool, bundles: Sequence[Bundle], folds: int) -> None:
    """Raises unless every fold, and both parts of the rest, can have each class.

    Three folds leave two of them to the rest at the least; of two folds the other one
    may hold one bundle of a class, unless there are four.
    """
    least = folds if folds > 2 else 4
    counts = Counter(label for bundle in bundles for label in bundle.classes)
    count, label = min((counts[n], n) for n in range(len(pool.class_names)))
    if count >= least:
        return
    word = "image" if len(bundles) == len(pool.names) else "different image"
    word = "group" if pool.ties[1:] else word
    words = f"{word}s"
    held = f"{pool.class_names[label]} has {count_of(count, word)}"
    if count >= 3 and folds > 2:
        raise DataError(
            f"dataset.folds must be at most {count}: {held}, and every fold needs one "
            f"of each class. Received: {folds}. Take fewer folds, or add images."
        )
    raise DataError(
        f"dataset.folds needs at least {least} {words} of each class, and {held}. "
        f"Received: {folds}. Add images, or leave the class out."
    )


def _refuse_bare(
    pool: Pool, bundles: Sequence[Bundle], chosen: Sequence[int], parts: Sequence[str]
) -> None:
    """Raises where large bundles left a part without an image of a class."""
    found: dict[int, set[int]] = defaultdict(set)
    for bundle, part in zip(bundles, chosen, strict=True):
        for label in bundle.classes:
            found[label].add(part)
    for label, name in enumerate(pool.class_names):
        for part, part_name in enumerate(parts):
            if part not in found[label]:
                raise DataError(
                    f"dataset.folds leaves {part_name} without an image of {name}, "
                    "whose images lie in few groups. Take fewer folds, or another "
                    "dataset.split_seed."
                )
