"""Whether one setting is better than another, each trained with several seeds."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr, stdtrit

from experiments.errors import DataError
from experiments.evaluation.predictions import Floats, Predictions
from experiments.evaluation.uncertainty.bootstrap import LEVEL, Interval
from experiments.evaluation.uncertainty.pairs import (
    Difference,
    align,
    compare,
    measure_mcnemar,
)


def compare_settings(
    first: Sequence[Predictions], second: Sequence[Predictions]
) -> Difference:
    """Compares two settings over the same images, each by all of its seeds.

    With one model a side it is `pairs.compare`, which tells something of these two
    models. With more it is the settings that are compared, whose next seed would give
    another model, over images of which others might have been drawn. For each image i
    let d_i be the share of the second one's seeds that get it right less that of the
    first one's. Their mean is the difference of the mean accuracies, and its variance
    is taken to be the sum of

        var(d) / images                        of the images, images - 1 degrees
        s^2 * (1 / seeds_1 + 1 / seeds_2)      of the seeds, seeds_1 + seeds_2 - 2

    where s^2 is the pooled variance of the seeds' accuracies within a setting: a side
    with one seed is taken to spread as the other. The interval and the p-value are
    those of Student's t with Satterthwaite's degrees of freedom. What a seed does to
    single images counts in both terms, so that the interval is a little too wide. It
    is never the best seed that counts, which would be the luckiest.

    Args:
        first: Labelled images, one table a seed.
        second: The same images, in any order.

    Raises:
        DataError: The images, classes or labels are not the same, or unknown.

    Reference:
        Sellam et al., The MultiBERTs (ICLR 2022): seeds and images are both drawn.
        Their bootstrap over seeds needs many of them, Student's t does not.
        Satterthwaite, An approximate distribution of estimates of variance components
        (Biometrics Bulletin 2, 1946).
    """
    if len(first) == len(second) == 1:
        return compare(first[0], second[0])
    ours, theirs = find_right(first, first[0]), find_right(second, first[0])
    gains = theirs.mean(axis=0) - ours.mean(axis=0)
    more, less = int((gains > 0).sum()), int((gains < 0).sum())
    interval, p_value = _weigh(gains, ours.mean(axis=1), theirs.mean(axis=1))
    return Difference(
        accuracy=float(gains.mean()),
        interval=interval,
        only_first=less,
        only_second=more,
        images=len(gains),
        p_value=measure_mcnemar(less, more) if p_value is None else p_value,
        seeds=(len(first), len(second)),
    )


def find_right(
    models: Sequence[Predictions], order: Predictions
) -> npt.NDArray[np.bool_]:
    """Returns which images each model gets right, `(models, images)`.

    Args:
        models: One table each.
        order: Whose rows the columns are.

    Raises:
        DataError: They are not over the same labelled images and classes.
    """
    if not len(order) or not order.labelled.all():
        raise DataError("A comparison needs a label for each image.")
    aligned = [align(order, model) for model in models]
    return np.stack([model.predicted == model.truth for model in aligned])


def _weigh(
    gains: Floats, ours: Floats, theirs: Floats
) -> tuple[Interval, float | None]:
    """Returns the interval and the p-value, `None` where nothing varies.

    Args:
        gains: Of each image.
        ours: Accuracy of each of the first one's seeds.
        theirs: Of the second one's.
    """
    mean, images = float(gains.mean()), len(gains)
    if images == 1:  # one image says nothing of others
        return (-1.0, 1.0), 1.0
    of_images = float(gains.var(ddof=1)) / images
    freedom = len(ours) + len(theirs) - 2
    squares = ((ours - ours.mean()) ** 2).sum() + ((theirs - theirs.mean()) ** 2).sum()
    of_seeds = float(squares) / freedom * (1 / len(ours) + 1 / len(theirs))
    variance = of_images + of_seeds
    if variance == 0.0:
        return (mean, mean), None
    degrees = variance**2 / (of_images**2 / (images - 1) + of_seeds**2 / freedom)
    error = variance**0.5
    margin = float(stdtrit(degrees, (1 + LEVEL) / 2)) * error
    p_value = 2 * float(stdtr(degrees, -abs(mean) / error))
    # No two accuracies differ by more than one: what is cut off holds no difference.
    return (max(mean - margin, -1.0), min(mean + margin, 1.0)), p_value
