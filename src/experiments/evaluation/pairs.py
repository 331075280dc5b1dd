"""Whether one model is better than another on the same images."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest

from experiments.counts import count_of
from experiments.errors import DataError
from experiments.evaluation.intervals import Interval, draw_weights, find_interval
from experiments.evaluation.predictions import Predictions

ALPHA = 0.05


@dataclass(frozen=True, kw_only=True)
class Difference:
    """How the second of two models differs from the first on the same images.

    Attributes:
        accuracy: Its accuracy less that of the first.
        interval: 95 % interval of that, by a paired bootstrap over the images.
        only_first: Images that only the first one gets right.
        only_second: Images that only the second one gets right.
        images: Number of images.
        p_value: Of McNemar's exact test: how likely is so uneven a division of the
            images that only one gets right, when both models are equally good.
    """

    accuracy: float
    interval: Interval
    only_first: int
    only_second: int
    images: int
    p_value: float


def align(first: Predictions, second: Predictions) -> Predictions:
    """Returns the second one's rows in the order of the first one's.

    Raises:
        DataError: They are not over the same labelled images and classes.
    """
    if first.class_names != second.class_names:
        raise DataError(
            "Predictions can be compared when they are over the same classes in the "
            f"same order. Received: {_name_some(first.class_names)} and "
            f"{_name_some(second.class_names)}."
        )
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
    gains = theirs.astype(np.float64) - ours
    means = [gains @ weights / len(gains) for weights in draw_weights(len(gains), seed)]
    return Difference(
        accuracy=float(gains.mean()),
        interval=find_interval(np.array(means)),
        only_first=only_first,
        only_second=only_second,
        images=len(gains),
        p_value=_test(only_first, only_second),
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


def _test(only_first: int, only_second: int) -> float:
    discordant = only_first + only_second
    if not discordant:
        return 1.0
    return float(binomtest(only_first, discordant, 0.5).pvalue)


def _key(predictions: Predictions) -> dict[tuple[str, str], int]:
    """Returns the row of each image, by its name and content."""
    pairs = zip(predictions.samples, predictions.digests, strict=True)
    rows = {key: row for row, key in enumerate(pairs)}
    if len(rows) != len(predictions):
        raise DataError("Predictions must have one row an image; some have several.")
    return rows


def _name_some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:5])
    return f"{shown}, ... ({len(names)})" if len(names) > 5 else shown
