"""How far a score would move with other images: bootstrap intervals."""

import numpy as np

from experiments.config.kinds.objective import TOP5_FROM
from experiments.evaluation.predictions import Floats, Integers, Predictions
from experiments.evaluation.scores import AUC, CALIBRATION, TOP5
from experiments.evaluation.uncertainty.auc_interval import ResampledAUC
from experiments.evaluation.uncertainty.bootstrap import (
    Interval,
    draw_blocks,
    find_interval,
)
from experiments.evaluation.uncertainty.calibration_interval import (
    ResampledGaps,
    find_calibration_interval,
)


def measure_intervals(predictions: Predictions, seed: int = 0) -> dict[str, Interval]:
    """Returns the 95 % interval of each score over which images were drawn.

    Images are drawn anew with replacement, 2,000 times, and the 2.5 and 97.5 % points
    of each score are taken (Efron's percentile interval); that of
    `expected_calibration_error`, which resampling makes larger than it is, is built in
    `calibration_interval`. It tells nothing of what another seed of the training would
    do.

    Args:
        predictions: Labelled images.
        seed: Of the draws.
    """
    images, areas = _Images(predictions), ResampledAUC(predictions)
    gaps = ResampledGaps(predictions, seed)
    draws: dict[str, list[float]] = {}
    noise = []
    for block in draw_blocks(len(predictions), seed):
        for weights in block:
            for name, value in images.score(weights).items():
                draws.setdefault(name, []).append(value)
        if areas.is_any:
            draws.setdefault(AUC, []).extend(areas.measure(block).tolist())
        noise.append(gaps.measure_noise(block))
    found = {name: find_interval(np.array(values)) for name, values in draws.items()}
    found[CALIBRATION] = find_calibration_interval(gaps.gaps, np.concatenate(noise))
    return found


class _Images:
    """What of each image the scores are sums of, so that a resample is a weighing."""

    def __init__(self, predictions: Predictions) -> None:
        p = predictions
        self._classes = p.num_classes
        self._truth, self._predicted = p.truth, p.predicted
        right = p.predicted == p.truth
        self._right = right
        self._means: dict[str, Floats] = {
            "accuracy": right.astype(np.float64),
            "log_loss": p.losses,
            "brier": ((p.probabilities - np.eye(p.num_classes)[p.truth]) ** 2).sum(1),
        }
        if p.num_classes >= TOP5_FROM:
            self._means[TOP5] = p.is_among_best(5).astype(np.float64)

    def score(self, weights: Integers) -> dict[str, float]:
        """Returns the scores of images that are there so many times."""
        total = weights.sum()
        means = {n: float(v @ weights / total) for n, v in self._means.items()}
        return means | self._average(weights)

    def _average(self, weights: Integers) -> dict[str, float]:
        """Returns the means over the classes that are there."""
        hits = self._count(self._truth, weights * self._right)
        support = self._count(self._truth, weights)
        called = self._count(self._predicted, weights)
        there = support > 0
        hits, support, called = hits[there], support[there], called[there]
        columns = {
            "precision": hits / np.maximum(called, 1),
            "recall": hits / support,
            "f1": 2 * hits / (called + support),
        }
        found = {}
        for name, values in columns.items():
            found[f"macro_{name}"] = float(values.mean())
            found[f"weighted_{name}"] = float(values @ support / support.sum())
        return {"balanced_accuracy": found["macro_recall"], **found}

    def _count(self, classes: Integers, weights: Integers) -> Floats:
        weighed = np.bincount(classes, weights, self._classes)
        return np.asarray(weighed, np.float64)
