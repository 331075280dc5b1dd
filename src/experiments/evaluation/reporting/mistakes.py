"""The images that a model gets wrong, the ones it was surest of first."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from experiments.evaluation.predictions import Predictions
from experiments.files import replace_bytes

_HEADER = ("file", "truth", "prediction", "confidence", "truth_probability", "split")


@dataclass(frozen=True, kw_only=True)
class Mistake:
    """An image that was taken for another class.

    Attributes:
        row: Of the predictions.
        sample: The image's name.
        truth: Its class.
        predicted: The class that it is taken for.
        confidence: How sure the model was of that, 0..1.
        truth_probability: What it gave the right class, 0..1.
        split: Where the image is.
    """

    row: int
    sample: str
    truth: str
    predicted: str
    confidence: float
    truth_probability: float
    split: str


def list_mistakes(predictions: Predictions) -> Iterator[Mistake]:
    """Yields what was predicted wrong of the labelled images, the surest first."""
    p = predictions
    wrong = np.flatnonzero(p.labelled & (p.predicted != p.truth))
    for row in wrong[np.argsort(-p.confidence[wrong], kind="stable")].tolist():
        yield Mistake(
            row=row,
            sample=p.samples[row],
            truth=p.class_names[p.truth[row]],
            predicted=p.class_names[p.predicted[row]],
            confidence=float(p.confidence[row]),
            truth_probability=float(p.probabilities[row, p.truth[row]]),
            split=p.split[row],
        )


def write_mistakes(path: Path, predictions: Predictions) -> int:
    """Writes `errors.csv` and returns the number of its rows."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(_HEADER)
    found = list(list_mistakes(predictions))
    for one in found:
        shares = (f"{one.confidence:.6g}", f"{one.truth_probability:.6g}")
        writer.writerow((one.sample, one.truth, one.predicted, *shares, one.split))
    replace_bytes(path, text.getvalue().encode())
    return len(found)
