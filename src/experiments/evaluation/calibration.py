"""Whether a model is as sure as it is right, and the temperature that mends it."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar

from experiments.errors import DataError
from experiments.evaluation.predictions import Floats, Integers, Predictions

BINS = 15  # as in arXiv:1706.04599
# Beyond them a model is either certain of everything or knows nothing.
COLDEST, HOTTEST = 0.01, 100.0  # temperatures that are tried


@dataclass(frozen=True, kw_only=True, eq=False)
class Reliability:
    """Predictions by how sure the model was of them.

    Attributes:
        edges: float `(BINS + 1,)`; bin i has the confidences in (edges[i], edges[i+1]].
        counts: int `(BINS,)`, images in it.
        confidence: float `(BINS,)`, their mean confidence; NaN in an empty bin.
        accuracy: float `(BINS,)`, the share of them that is right; NaN likewise.
    """

    edges: Floats
    counts: Integers
    confidence: Floats
    accuracy: Floats


def measure_reliability(predictions: Predictions) -> Reliability:
    """Sorts labelled predictions into bins of equal width by their confidence."""
    p = predictions
    edges = np.linspace(0.0, 1.0, BINS + 1)
    places = locate_bins(p.confidence)
    counts = np.bincount(places, minlength=BINS)
    with np.errstate(invalid="ignore"):
        confidence = np.bincount(places, p.confidence, BINS) / counts
        accuracy = np.bincount(places, p.predicted == p.truth, BINS) / counts
    return Reliability(
        edges=edges, counts=counts, confidence=confidence, accuracy=accuracy
    )


def locate_bins(confidence: Floats) -> Integers:
    """Returns the bin of each confidence, int `(N,)`."""
    places = np.ceil(confidence * BINS).astype(np.int64) - 1
    return np.clip(places, 0, BINS - 1)


def measure_calibration_error(predictions: Predictions) -> float:
    """Returns the expected calibration error of labelled predictions, 0..1.

    The mean over images of how far the accuracy of their bin is from its mean
    confidence, with 15 bins of equal width (arXiv:1706.04599, equation 3).
    """
    found = measure_reliability(predictions)
    used = found.counts > 0
    gaps = np.abs(found.accuracy - found.confidence)[used]
    return float((gaps * found.counts[used]).sum() / found.counts.sum())


def fit_temperature(predictions: Predictions) -> float:
    """Returns the temperature that makes the log loss of labelled images least.

    Fit it on the validation split and use it elsewhere: one number by which all logits
    are divided, which changes no prediction (arXiv:1706.04599, section 4.2).
    `COLDEST` and `HOTTEST` are the ends of what is tried, and no fit.

    Raises:
        DataError: There is no labelled image.
    """
    p = predictions
    if not p.labelled.any():
        raise DataError("A temperature needs labelled images. Received: none.")
    known = p.select(p.labelled)

    def lose(logarithm: float) -> float:
        return float(known.scaled(float(np.exp(logarithm))).losses.mean())

    bounds = (float(np.log(COLDEST)), float(np.log(HOTTEST)))
    found = minimize_scalar(lose, bounds=bounds, method="bounded")
    for end, temperature in zip(bounds, (COLDEST, HOTTEST), strict=True):
        if lose(end) <= found.fun:  # beyond what is tried, or flat up to there
            return temperature
    return float(np.exp(found.x))


def is_fit(temperature: float | None) -> bool:
    """Tells whether a temperature was found, inside of what is tried."""
    return temperature is not None and COLDEST < temperature < HOTTEST
