"""What a model is worth where an image may have several labels, or none.

Means over classes are over those that some image has: what a model does with a class
that is not there cannot be told.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit
from sklearn.metrics import (
    average_precision_score,
    precision_recall_fscore_support,
    roc_auc_score,
)

from experiments.config.kinds.metric_names import HELD_OUT_SEVERAL
from experiments.evaluation.predictions import THRESHOLD
from experiments.evaluation.several_labels.predictions import (
    Floats,
    SeveralPredictions,
    Table,
)

MAP = "map"


@dataclass(frozen=True, kw_only=True)
class LabelScores:
    """How one class fares.

    Attributes:
        name: Of the class.
        average_precision: As scikit-learn has it; `None` without an image of it.
        precision: Share of the images said to show it that do; 0 when none was said to,
            `None` when there is none of it either.
        recall: Share of its images that were found; `None` without an image.
        f1: Harmonic mean of both; `None` without an image.
        roc_auc: Probability that an image of it gets a higher score than one without;
            `None` unless there are both.
        support: Number of its images.
        called: Number of images that were said to show it.
    """

    name: str
    average_precision: float | None
    precision: float | None
    recall: float | None
    f1: float | None
    roc_auc: float | None
    support: int
    called: int


def measure_loss(truth: Table, outputs: Floats) -> float:
    """Returns the binary cross-entropy, the mean over images and classes.

    Args:
        truth: uint8 `(N, C)`.
        outputs: Logits, likewise.
    """
    # log(1 + exp(x)) - q x, whatever the size of x.
    return float((np.logaddexp(0, outputs) - truth * outputs).mean())


def measure_held_out(truth: Table, outputs: Floats) -> dict[str, float]:
    """Returns what an epoch's validation measures, see `score_several`.

    What is no number makes all of it none.

    Args:
        truth: uint8 `(N, C)`.
        outputs: Logits, likewise.
    """
    outputs = np.asarray(outputs, np.float64)
    if not np.isfinite(outputs).all():
        return dict.fromkeys(HELD_OUT_SEVERAL, float("nan"))
    called = (expit(outputs) > THRESHOLD).astype(np.uint8)
    return {
        "loss": measure_loss(truth, outputs),
        MAP: measure_map(truth, outputs),
        "macro_f1": _measure_f1(truth, called)["macro_f1"],
        "exact_match": float((called == truth).all(axis=1).mean()),
    }


def measure_map(truth: Table, outputs: Floats) -> float:
    """Returns the mean over the classes of `average_precision_score`."""
    there = np.flatnonzero(truth.any(axis=0))
    if not len(there):
        return float("nan")
    scores = [average_precision_score(truth[:, n], outputs[:, n]) for n in there]
    return float(np.mean(scores))


def score_several(predictions: SeveralPredictions) -> dict[str, float]:
    """Computes every score of labelled images.

    | name | what |
    | --- | --- |
    | `map` | mean over the classes of the average precision |
    | `macro_f1`, `macro_precision`, `macro_recall` | means over the classes |
    | `micro_f1`, ... | of all answers together, whatever their class |
    | `exact_match` | share of the images of which every class was answered right |
    | `roc_auc` | mean over the classes |
    | `loss` | binary cross-entropy, the mean over images and classes |

    All but `map`, `roc_auc` and `loss` are at a threshold of 0.5.
    """
    p, truth, called = predictions, predictions.truth, predictions.called
    areas = [
        roc_auc_score(truth[:, n], p.outputs[:, n])
        for n in range(len(p.class_names))
        if 0 < truth[:, n].sum() < len(p)
    ]
    return {
        MAP: measure_map(truth, p.outputs),
        **_measure_f1(truth, called),
        "exact_match": float((called == truth).all(axis=1).mean()),
        **({"roc_auc": float(np.mean(areas))} if areas else {}),
        "loss": measure_loss(truth, p.outputs),
    }


def _measure_f1(truth: Table, called: Table) -> dict[str, float]:
    there = np.flatnonzero(truth.any(axis=0))
    found = {}
    for average in ("macro", "micro"):
        labels = there if average == "macro" else None
        values = precision_recall_fscore_support(
            truth, called, labels=labels, average=average, zero_division=0
        )
        for name, value in zip(("precision", "recall", "f1"), values, strict=False):
            found[f"{average}_{name}"] = float(value)
    return found


def score_classes(predictions: SeveralPredictions) -> list[LabelScores]:
    """Returns how each class fares, in the order of their numbers."""
    p, called = predictions, predictions.called
    columns = precision_recall_fscore_support(
        p.truth, called, average=None, zero_division=0
    )
    counts = called.sum(axis=0)
    found = []
    for number, (precision, recall, f1, support) in enumerate(
        zip(*columns, strict=True)
    ):
        truth, outputs = p.truth[:, number], p.outputs[:, number]
        known = bool(support)
        area = roc_auc_score(truth, outputs) if 0 < support < len(p) else None
        found.append(
            LabelScores(
                name=p.class_names[number],
                average_precision=(
                    float(average_precision_score(truth, outputs)) if known else None
                ),
                precision=float(precision) if known or counts[number] else None,
                recall=float(recall) if known else None,
                f1=float(f1) if known else None,
                roc_auc=None if area is None else float(area),
                support=int(support),
                called=int(counts[number]),
            )
        )
    return found
