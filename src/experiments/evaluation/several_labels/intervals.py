"""How far scores of several labels would move with other images: the bootstrap."""

import numpy as np

from experiments.evaluation.predictions import Floats, Integers
from experiments.evaluation.several_labels.predictions import SeveralPredictions
from experiments.evaluation.several_labels.scores import MAP
from experiments.evaluation.uncertainty.bootstrap import (
    Interval,
    draw_blocks,
    find_interval,
)


def measure_several_intervals(
    predictions: SeveralPredictions, seed: int = 0
) -> tuple[dict[str, Interval], list[Interval | None]]:
    """Returns 95 % intervals of scores, and of each class's average precision.

    Images are drawn anew with replacement, 2,000 times (Efron's percentile interval). A
    class that a resample lacks is in no mean of it.

    Args:
        predictions: Labelled images.
        seed: Of the draws.

    Returns:
        Those of `map`, `macro_f1`, `micro_f1` and `exact_match`, by name; and one a
        class, `None` for one without an image.
    """
    p, called = predictions, predictions.called
    counts = p.truth.astype(np.int64)
    truth = counts.astype(np.float64)
    right = (called == p.truth).all(axis=1).astype(np.float64)
    known = [number for number in range(len(p.class_names)) if truth[:, number].any()]
    ranked = {n: _Ranked(counts[:, n], p.outputs[:, n]) for n in known}
    draws: dict[str, list[Floats]] = {}
    precisions: list[Floats] = []
    for block in draw_blocks(len(p), seed):
        weights = block.astype(np.float64)
        found = np.full((len(block), len(p.class_names)), np.nan)
        for number, one in ranked.items():
            found[:, number] = one.measure(block)
        precisions.append(found)
        hits = weights @ (truth * called)
        both = weights @ called + weights @ truth
        there = weights @ truth > 0
        with np.errstate(invalid="ignore", divide="ignore"):
            f1 = np.where(there, 2 * hits / both, np.nan)
            micro = 2 * hits.sum(axis=1) / both.sum(axis=1)
        scores = {
            MAP: _mean(found),
            "macro_f1": _mean(f1),
            "micro_f1": micro,
            "exact_match": weights @ right / weights.sum(axis=1),
        }
        for name, values in scores.items():
            draws.setdefault(name, []).append(values)
    intervals = {n: find_interval(np.concatenate(v)) for n, v in draws.items()}
    table = np.concatenate(precisions)
    classes = [
        find_interval(table[:, number]) if number in ranked else None
        for number in range(len(p.class_names))
    ]
    return intervals, classes


def _mean(values: Floats) -> Floats:
    """Returns the mean of each row over what is known in it; NaN where nothing is."""
    is_known = ~np.isnan(values)
    with np.errstate(invalid="ignore"):
        total = np.where(is_known, values, 0).sum(axis=1) / is_known.sum(axis=1)
    return np.asarray(total)


class _Ranked:
    """A class's images from the likeliest on, whose average precision is resampled."""

    def __init__(self, truth: Integers, outputs: Floats) -> None:
        self._order = np.argsort(-outputs, kind="stable")
        self._truth = truth[self._order]
        ranked = outputs[self._order]
        # What ties is called together: precision counts where a tie ends.
        self._ends = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)

    def measure(self, weights: Integers) -> Floats:
        """Returns the average precision in each resample, float `(R,)`.

        Args:
            weights: How often each image is there, int `(R, N)`.
        """
        drawn = weights[:, self._order]
        called = drawn.cumsum(axis=1)[:, self._ends]
        hits = (drawn * self._truth).cumsum(axis=1)[:, self._ends]
        found = np.diff(hits, axis=1, prepend=0)
        with np.errstate(invalid="ignore", divide="ignore"):
            precision = np.where(called > 0, hits / called, 0.0)
            return np.asarray((precision * found).sum(axis=1) / hits[:, -1])
