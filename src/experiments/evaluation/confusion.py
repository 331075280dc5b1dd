"""Which classes are taken for which."""

from dataclasses import dataclass

import numpy as np
from sklearn.metrics import confusion_matrix

from experiments.evaluation.predictions import Integers, Predictions


@dataclass(frozen=True, kw_only=True)
class Confusion:
    """A class that is taken for another.

    Attributes:
        truth: Name of the class.
        predicted: Name of the class that it is taken for.
        count: Number of images.
        share: Of all images of the class.
    """

    truth: str
    predicted: str
    count: int
    share: float


def count_confusions(predictions: Predictions) -> Integers:
    """Returns how many images of class i were called j, int `(C, C)`."""
    p = predictions
    numbers = np.arange(p.num_classes)
    return np.asarray(confusion_matrix(p.truth, p.predicted, labels=numbers))


def list_confusions(predictions: Predictions, most: int = 20) -> list[Confusion]:
    """Returns the classes that are taken for another most often, the worst first."""
    counts = count_confusions(predictions)
    support = counts.sum(axis=1)
    wrong = counts.copy()
    np.fill_diagonal(wrong, 0)
    names = predictions.class_names
    order = np.argsort(-wrong, axis=None, kind="stable")[:most]
    places = [divmod(int(place), len(names)) for place in order]
    return [
        Confusion(
            truth=names[i],
            predicted=names[j],
            count=int(wrong[i, j]),
            share=float(wrong[i, j] / support[i]),
        )
        for i, j in places
        if wrong[i, j]
    ]
