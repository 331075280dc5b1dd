"""What predictions are worth, in the terms of the field."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from sklearn.metrics import (
    brier_score_loss,
    precision_recall_fscore_support,
    roc_auc_score,
)

from experiments.config.kinds.objective import TOP5_FROM
from experiments.counts import count_of
from experiments.errors import DataError
from experiments.evaluation.calibration import measure_calibration_error
from experiments.evaluation.predictions import Integers, Predictions

TOP5 = "top5_accuracy"
AUC = "roc_auc"
CALIBRATION = "expected_calibration_error"


@dataclass(frozen=True, kw_only=True)
class ClassScores:
    """How one class fares.

    Attributes:
        name: Of the class.
        precision: Share of the images called so that are; 0 when none was called so,
            `None` when there is none of it either.
        recall: Share of its images that were found; `None` without an image.
        f1: Harmonic mean of both; `None` without an image.
        support: Number of its images.
        roc_auc: Probability that an image of it gets a higher score than one of
            another; `None` unless there are both.
    """

    name: str
    precision: float | None
    recall: float | None
    f1: float | None
    support: int
    roc_auc: float | None


@dataclass(frozen=True, kw_only=True)
class Scores:
    """How a model fares on labelled images.

    Attributes:
        overall: Metric -> value, see `score`.
        classes: Each class, in the order of their numbers.
        images: Number of images.
        absent: Classes without an image, which no mean over classes counts.
    """

    overall: dict[str, float]
    classes: tuple[ClassScores, ...]
    images: int
    absent: tuple[str, ...]


def score(predictions: Predictions) -> Scores:
    """Computes every score of labelled images.

    | name | what |
    | --- | --- |
    | `accuracy` | share of images whose likeliest class is theirs |
    | `top5_accuracy` | share whose class is among the five likeliest (11 classes on) |
    | `balanced_accuracy` | mean of the classes' recalls |
    | `macro_precision`, `macro_recall`, `macro_f1` | means over the classes |
    | `weighted_precision`, ... | means over the classes, by their number of images |
    | `roc_auc` | mean over the classes, each against the rest |
    | `log_loss` | mean of -ln of the probability of the true class |
    | `brier` | mean of the summed squared errors of the probabilities, 0..2 |
    | `expected_calibration_error` | see `calibration` |

    Means over classes are over those that have an image: what a model does with a class
    that is not there cannot be told. scikit-learn computes what it has, always with the
    labels named.

    Raises:
        DataError: There is no image, or one without a label.
    """
    p = predictions
    if not len(p) or not p.labelled.all():
        raise DataError(
            "Scores need a label for each image. Received: "
            f"{count_of(len(p), 'image')}, {int((~p.labelled).sum())} of them without."
        )
    support = np.bincount(p.truth, minlength=p.num_classes)
    classes = tuple(_score_classes(p))
    overall = {
        "accuracy": float((p.predicted == p.truth).mean()),
        **_score_top(p),
        **_average(p, np.flatnonzero(support)),
        **_average_auc(classes),
        **_score_probabilities(p),
    }
    absent = tuple(p.class_names[i] for i in np.flatnonzero(support == 0))
    return Scores(overall=overall, classes=classes, images=len(p), absent=absent)


def _score_top(p: Predictions) -> dict[str, float]:
    """Returns nothing where every class would be among so many."""
    if p.num_classes < TOP5_FROM:
        return {}
    return {TOP5: float(p.is_among_best(5).mean())}


def _average(p: Predictions, present: Integers) -> dict[str, float]:
    found = {}
    for average in ("macro", "weighted"):
        values = precision_recall_fscore_support(
            p.truth, p.predicted, labels=present, average=average, zero_division=0
        )
        for name, value in zip(("precision", "recall", "f1"), values, strict=False):
            found[f"{average}_{name}"] = float(value)
    return {"balanced_accuracy": found["macro_recall"], **found}


def _average_auc(classes: tuple[ClassScores, ...]) -> dict[str, float]:
    known = [one.roc_auc for one in classes if one.roc_auc is not None]
    return {AUC: float(np.mean(known))} if known else {}


def _score_probabilities(p: Predictions) -> dict[str, float]:
    numbers = np.arange(p.num_classes)
    brier = brier_score_loss(
        p.truth, p.probabilities, labels=numbers, scale_by_half=False
    )
    return {
        "log_loss": float(p.losses.mean()),
        "brier": float(brier),
        CALIBRATION: measure_calibration_error(p),
    }


def _score_classes(p: Predictions) -> Iterator[ClassScores]:
    numbers = np.arange(p.num_classes)
    columns = precision_recall_fscore_support(
        p.truth, p.predicted, labels=numbers, zero_division=0
    )
    called = np.bincount(p.predicted, minlength=p.num_classes)
    for number, precision, recall, f1, support in zip(numbers, *columns, strict=True):
        known = bool(support)
        yield ClassScores(
            name=p.class_names[number],
            precision=float(precision) if known or called[number] else None,
            recall=float(recall) if known else None,
            f1=float(f1) if known else None,
            support=int(support),
            roc_auc=_measure_auc(p, number) if 0 < support < len(p) else None,
        )


def _measure_auc(p: Predictions, number: int) -> float:
    """Returns how well a class's probability tells it from the rest."""
    return float(roc_auc_score(p.truth == number, p.probabilities[:, number]))
