"""How far the mean ROC AUC would move with other images."""

import numpy as np

from experiments.evaluation.predictions import Floats, Integers, Predictions


class ResampledAUC:
    """The mean of the classes' ROC AUC, each against the rest, among drawn images.

    A class's AUC is a mean over pairs of an image of it and another. In a resample it
    is taken as what its images add on average, plus what the others do (Hoeffding's
    projection, by the components of DeLong et al., Biometrics 44, 1988): a product of
    matrices in place of a sort for each class and resample. What is left out is of the
    order of one over the number of pairs.

    A class that a resample lacks is in no mean, as in the other means over classes.

    Args:
        predictions: Labelled images.
    """

    def __init__(self, predictions: Predictions) -> None:
        p = predictions
        self._truth, self._classes = p.truth, p.num_classes
        support = np.bincount(p.truth, minlength=p.num_classes)
        self._known = (support > 0) & (support < len(p))
        self._whole = np.zeros(p.num_classes)
        # How an image of a class stands to the others, and the others to its images.
        self._own = np.zeros(len(p))
        self._others = np.zeros((len(p), p.num_classes), np.float32)
        for number in np.flatnonzero(self._known):
            is_own = p.truth == number
            scores = p.probabilities[:, number]
            own, others = np.sort(scores[is_own]), np.sort(scores[~is_own])
            self._own[is_own] = _count_below(others, scores[is_own])
            self._others[~is_own, number] = 1 - _count_below(own, scores[~is_own])
            self._whole[number] = self._own[is_own].mean()

    @property
    def is_any(self) -> bool:
        """Whether there is a class with images of it and of another."""
        return bool(self._known.any())

    def measure(self, weights: Integers) -> Floats:
        """Returns the mean AUC in each resample, float `(R,)`; NaN without a class.

        Args:
            weights: How often each image is there, int `(R, N)`.
        """
        support = self._add_up(weights)
        rest = weights.sum(1, keepdims=True) - support
        others = weights.astype(np.float32) @ self._others
        with np.errstate(invalid="ignore", divide="ignore"):
            found = self._add_up(weights * self._own) / support + others / rest
        found = np.clip(found - self._whole, 0, 1)
        is_there = self._known & (support > 0) & (rest > 0)
        with np.errstate(invalid="ignore"):
            return np.asarray(np.where(is_there, found, 0).sum(1) / is_there.sum(1))

    def _add_up(self, values: Floats | Integers) -> Floats:
        """Returns the sum over each class's own images, float `(R, C)`."""
        rows = [np.bincount(self._truth, row, self._classes) for row in values]
        return np.array(rows)


def _count_below(ranked: Floats, values: Floats) -> Floats:
    """Returns the share of `ranked` below each value; equal ones count half."""
    left = np.searchsorted(ranked, values, "left")
    right = np.searchsorted(ranked, values, "right")
    return np.asarray((left + right) / (2 * len(ranked)))
