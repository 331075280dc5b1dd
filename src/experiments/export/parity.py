"""Whether exported files say what the model says, over every image of a split."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from experiments.export.runtimes import Ask, Loaded

Images = npt.NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class Parity:
    """How close an exported file is to the model.

    Attributes:
        images: How many were asked about.
        agreement: Share of them with the same likeliest class or, where an image may
            have several labels, with the same ones.
        accuracy: Of the file, over images with a label; `None` without any. Of several
            labels the share of the images of which all are right.
        model_accuracy: Of the model, likewise.
        largest_difference: Of any output of any image: of a probability as it is, of
            a logit in units of the image's largest one where that is above 1.
    """

    images: int
    agreement: float
    accuracy: float | None
    model_accuracy: float | None
    largest_difference: float


@dataclass
class _Tally:
    images: int = 0
    agreeing: int = 0
    right: int = 0
    model_right: int = 0
    largest: float = 0.0


def compare_with_model(
    ask_model: Ask,
    loaded: Sequence[Loaded],
    batches: Iterable[Images],
    truth: npt.NDArray[np.int64],
    threshold: float = 0.5,
) -> dict[str, Parity]:
    """Asks the model and each exported file about all images, once.

    Args:
        ask_model: The model, which gives what the files should.
        loaded: The files.
        batches: uint8 `(B, H, W, C)` each.
        truth: Class of each image, `(N,)`; -1 where none is known. Of several labels 0
            and 1 for each class, `(N, classes)`.
        threshold: Of several labels, what an output is above where its class is there.

    Returns:
        The parity of each form, by its name.
    """
    tallies = {one.form.name: _Tally() for one in loaded}
    for images, labels in _with_labels(batches, truth):
        wanted = np.asarray(ask_model(images), np.float64)
        for one in loaded:
            given = np.asarray(one.ask(images), np.float64)
            _count(tallies[one.form.name], wanted, given, labels, threshold)
    known = len(truth) if truth.ndim == 2 else int((truth >= 0).sum())
    return {
        name: Parity(
            images=tally.images,
            agreement=tally.agreeing / max(tally.images, 1),
            accuracy=tally.right / known if known else None,
            model_accuracy=tally.model_right / known if known else None,
            largest_difference=tally.largest,
        )
        for name, tally in tallies.items()
    }


def find_differences(wanted: Any, given: Any) -> Any:
    """Returns how far outputs are from what they should be, see `Parity`.

    Args:
        wanted: `(B, classes)`.
        given: Likewise.
    """
    unit = np.maximum(np.abs(wanted).max(axis=1, keepdims=True), 1.0)
    differences = np.abs(given - wanted) / unit
    # What is no number differs by more than any tolerance.
    differences[~np.isfinite(given)] = np.inf
    return differences


def _with_labels(
    batches: Iterable[Images], truth: npt.NDArray[np.int64]
) -> Iterator[tuple[Images, npt.NDArray[np.int64]]]:
    start = 0
    for images in batches:
        yield images, truth[start : start + len(images)]
        start += len(images)


def _count(
    tally: _Tally, wanted: Any, given: Any, labels: Any, threshold: float
) -> None:
    differences = find_differences(wanted, given)
    several = labels.ndim == 2
    best, own = (
        (one > threshold).astype(int) if several else one.argmax(axis=1, keepdims=True)
        for one in (given, wanted)
    )
    labels = labels if several else labels[:, None]
    tally.images += len(wanted)
    tally.agreeing += int((best == own).all(axis=1).sum())
    tally.right += int((best == labels).all(axis=1).sum())
    tally.model_right += int((own == labels).all(axis=1).sum())
    tally.largest = max(tally.largest, float(differences.max(initial=0.0)))
