"""Whether one model is better than another on the same images."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import bdtr  # scipy.stats takes a second to import

from experiments.counts import count_of, name_some
from experiments.errors import DataError
from experiments.evaluation.predictions import Predictions
from experiments.evaluation.uncertainty.bootstrap import (
    RESAMPLES,
    Interval,
    find_interval,
)

ALPHA = 0.05


@dataclass(frozen=True, kw_only=True)
class Difference:
    """How the second of two models differs from the first on the same images.

    Attributes:
        accuracy: Its accuracy less that of the first.
        interval: 95 % interval of that, by a paired bootstrap over the images.
        only_first: Images that only the first one gets right; of settings with several
            seeds, which its seeds get right more often.
        only_second: Likewise of the second one.
        images: Number of images.
        p_value: Of McNemar's exact test: how likely is so uneven a division of the
            images that only one gets right, when both models are equally good.
        seeds: Models of each side.
    """

    accuracy: float
    interval: Interval
    only_first: int
    only_second: int
    images: int
    p_value: float
    seeds: tuple[int, int] = (1, 1)


def align(first: Predictions, second: Predictions) -> Predictions:
    """Returns the second one's rows and classes in the order of the first one's.

    Raises:
        DataError: They are not over the same labelled images and classes.
    """
    second = _reorder_classes(second, first.class_names)
    ours, theirs = _key(first), _key(second)
    if ours.keys() != theirs.keys():
        common = len(ours.keys() & theirs.keys())
        raise DataError(
            "Predictions can be compared over the same images only. Received: "
            f"{len(ours):,} and {count_of(len(theirs), 'image')}, {common:,} of them "
            "in both. Evaluate both runs on one data set first."
        )
    aligned = second.select(np.array([theirs[key] for key in ours], np.int64))
    if not np.array_equal(aligned.truth, first.truth):
        moved = int((aligned.truth != first.truth).sum())
        raise DataError(
            f"Predictions can be compared over the same labels only. Received: "
            f"{moved:,} of {count_of(len(first), 'image')} with another label."
        )
    return aligned


def compare(first: Predictions, second: Predictions, seed: int = 0) -> Difference:
    """Compares two models over the same images.

    Args:
        first: Labelled images.
        second: The same images, in any order.
        seed: Of the bootstrap.

    Raises:
        DataError: The images, classes or labels are not the same, or unknown.
    """
    second = align(first, second)
    if not len(first) or not first.labelled.all():
        raise DataError("A comparison needs a label for each image.")
    ours = first.predicted == first.truth
    theirs = second.predicted == second.truth
    only_first, only_second = int((ours & ~theirs).sum()), int((theirs & ~ours).sum())
    return Difference(
        accuracy=(only_second - only_first) / len(first),
        interval=_resample(only_first, only_second, len(first), seed),
        only_first=only_first,
        only_second=only_second,
        images=len(first),
        p_value=measure_mcnemar(only_first, only_second),
    )


def adjust(p_values: Sequence[float]) -> list[float]:
    """Returns p-values of several comparisons, each as if it were the only one.

    Holm's step-down method (1979) keeps the chance of any false finding below the
    level, whatever the comparisons have in common.
    """
    count = len(p_values)
    order = sorted(range(count), key=lambda i: p_values[i])
    adjusted, largest = [0.0] * count, 0.0
    for rank, place in enumerate(order):
        largest = max(largest, min(1.0, (count - rank) * p_values[place]))
        adjusted[place] = largest
    return adjusted


def describe(difference: Difference, p_value: float | None = None) -> str:
    """Returns what may be said of a second model, beside the first.

    Args:
        difference: Between them.
        p_value: Adjusted for several comparisons; `None` for the only one.
    """
    known = difference.p_value if p_value is None else p_value
    low, high = (100 * end for end in difference.interval)
    points = 100 * difference.accuracy
    if known >= ALPHA or low <= 0 <= high:
        return f"no difference shown ({points:+.1f} points, {low:+.1f} to {high:+.1f})"
    if points > 0:
        return f"better by {points:.1f} points ({low:.1f} to {high:.1f})"
    return f"worse by {-points:.1f} points ({-high:.1f} to {-low:.1f})"


def measure_mcnemar(only_first: int, only_second: int) -> float:
    """Returns the two-sided p-value of McNemar's exact test.

    It is that of a fair coin: twice the chance of so few of the rarer side.

    Args:
        only_first: Images that only the first of two models gets right.
        only_second: Images that only the second one does.
    """
    smaller, discordant = min(only_first, only_second), only_first + only_second
    return min(1.0, 2 * float(bdtr(smaller, discordant, 0.5)))


def _resample(only_first: int, only_second: int, images: int, seed: int) -> Interval:
    """Returns the bootstrapped interval of the mean gain of an image.

    Gains are -1, 0 and 1: how often each is in a resample of the images is multinomial,
    so that no image has to be drawn.
    """
    same = images - only_first - only_second
    shares = np.array([only_first, only_second, same]) / images
    drawn = np.random.default_rng(seed).multinomial(images, shares, RESAMPLES)
    return find_interval((drawn[:, 1] - drawn[:, 0]) / images)


def _reorder_classes(given: Predictions, names: tuple[str, ...]) -> Predictions:
    """Returns predictions with their classes in another order."""
    if given.class_names == names:
        return given
    if set(given.class_names) != set(names) or len(set(names)) != given.num_classes:
        raise DataError(
            "Predictions can be compared over the same classes only. Received: "
            f"{name_some(names)} and {name_some(given.class_names)}."
        )
    order = np.array([given.class_names.index(name) for name in names])
    truth = np.where(given.labelled, np.argsort(order)[given.truth], given.truth)
    return replace(
        given, outputs=given.outputs[:, order], truth=truth, class_names=names
    )


def _key(predictions: Predictions) -> dict[tuple[str, str], int]:
    """Returns the row of each image, by its name and content."""
    pairs = zip(predictions.samples, predictions.digests, strict=True)
    rows = {key: row for row, key in enumerate(pairs)}
    if len(rows) != len(predictions):
        raise DataError("Predictions must have one row an image; some have several.")
    return rows
