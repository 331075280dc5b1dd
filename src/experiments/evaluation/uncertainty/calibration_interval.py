"""How far the calibration error would move with other images.

The calibration error adds up the sizes of gaps, and noise has a size too: on few
images a perfectly calibrated model has an error, and its resamples have about twice
that (Kumar et al., Verified Uncertainty Calibration, NeurIPS 2019; Roelofs et al.,
Mitigating Bias in Calibration Error Estimation, AISTATS 2022). A percentile interval
can leave out the truth every time. So what is bootstrapped here are the gaps, which
have no such bias, and the interval is built from what their noise may have done to
the sum:

- It can have hidden no more than the noise of the signed gaps, since a size is convex.
  That is the upper end.
- It can have added the size of the noise of each bin whose gap may be nothing, and the
  signed noise of each whose gap is plain. That is the lower end. A gap is plain from
  three standard errors on, as in the moment selection of Andrews and Soares
  (Econometrica 78, 2010).

The interval is meant for the error of the same 15 bins on endless images. Where most
gaps are small beside their noise it holds more than 95 %.
"""

import numpy as np

from experiments.evaluation.calibration import BINS, locate_bins
from experiments.evaluation.predictions import Floats, Integers, Predictions
from experiments.evaluation.uncertainty.bootstrap import LEVEL, Interval

_PLAIN = 3.0  # standard errors
# Images that are added to the noise of each bin, half of them right, half wrong: a bin
# without a mistake has more noise than its resamples show (Agresti and Coull, The
# American Statistician 52, 1998).
_ADDED = 2


class ResampledGaps:
    """The gaps between confidence and accuracy among drawn images.

    Args:
        predictions: Labelled images.
        seed: Of the noise of added images.
    """

    def __init__(self, predictions: Predictions, seed: int) -> None:
        p = predictions
        self._generator = np.random.default_rng([seed, BINS])
        places, right = locate_bins(p.confidence), p.predicted == p.truth
        self._shares = np.zeros((len(p), BINS))
        self._shares[np.arange(len(p)), places] = (right - p.confidence) / len(p)
        self.gaps: Floats = self._shares.sum(0)
        counts = np.bincount(places, minlength=BINS)
        self._used = counts > 0
        mean = np.bincount(places, p.confidence, BINS) / np.maximum(counts, 1)
        self._added = np.stack([1 - mean, -mean]) / len(p)

    def measure_noise(self, weights: Integers) -> Floats:
        """Returns how far each gap is from that of all images, float `(R, BINS)`.

        Args:
            weights: How often each image is there, int `(R, N)`.
        """
        noise = weights @ self._shares - self.gaps
        mean = _ADDED / 2
        drawn = self._generator.poisson(mean, (len(weights), 2, BINS)) - mean
        return np.asarray(noise + self._used * (drawn * self._added).sum(1))


def find_calibration_interval(gaps: Floats, noise: Floats) -> Interval:
    """Returns the 95 % interval of the calibration error.

    Args:
        gaps: What each bin adds to the error, signed, float `(BINS,)`.
        noise: How far they were off in resamples, float `(R, BINS)`.
    """
    error = float(np.abs(gaps).sum())
    signed = np.where(gaps < 0, -noise, noise)
    is_plain = np.abs(gaps) > _PLAIN * noise.std(0)
    added = np.where(is_plain, signed, np.abs(noise)).sum(1)
    share = (1 + LEVEL) / 2
    low = error - float(np.quantile(added, share))
    high = error + float(np.quantile(-signed.sum(1), share))
    return max(0.0, low), min(1.0, high)
