"""Which classes of some data a model knows: they are matched by their names."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from experiments.counts import count_of
from experiments.errors import DataError
from experiments.evaluation.predictions import UNLABELLED, Integers

_SHOWN = 5


@dataclass(frozen=True, kw_only=True, eq=False)
class Matching:
    """Classes of data beside those of a model.

    Attributes:
        truth: int `(N,)`, the model's class of each image; `UNLABELLED` where the model
            does not know the image's class.
        given: The class of each image by the data's own name.
        unknown: Classes that the model does not know -> their number of images.
        absent: Classes of the model without an image.
        known: Number of classes that both have.
    """

    truth: Integers
    given: tuple[str, ...]
    unknown: dict[str, int]
    absent: tuple[str, ...]
    known: int

    def describe(self) -> list[str]:
        """Returns what does not match, a sentence each; nothing where all does."""
        told = []
        if self.unknown:
            images = count_of(sum(self.unknown.values()), "image")
            classes = count_of(len(self.unknown), "class", "classes")
            told.append(
                f"{images} of {classes} that the model does not know "
                f"({_some(list(self.unknown))}): listed, and in no score."
            )
        if self.absent:
            classes = count_of(len(self.absent), "class", "classes")
            told.append(
                f"{classes} of the model without an image ({_some(self.absent)}): in "
                "no mean over classes."
            )
        return told


def match_classes(
    labels: Integers, data_classes: Sequence[str], model_classes: Sequence[str]
) -> Matching:
    """Matches classes by their names.

    Args:
        labels: int `(N,)`, the class of each image by the data's numbers.
        data_classes: Their names.
        model_classes: The names of the model's classes.

    Raises:
        DataError: No image has a class that the model knows.
    """
    numbers = {name: number for number, name in enumerate(model_classes)}
    table = np.array([numbers.get(name, UNLABELLED) for name in data_classes], np.int64)
    truth = table[labels]
    given = tuple(data_classes[label] for label in labels.tolist())
    if not (truth != UNLABELLED).any():
        raise DataError(
            f"The model knows none of the classes of these images: it knows "
            f"{_some(model_classes)}, and they are called {_some(sorted(set(given)))}. "
            f"{_advise(set(given), model_classes)}"
        )
    seen = {model_classes[n] for n in np.unique(truth).tolist() if n != UNLABELLED}
    unknown = Counter(name for name in given if name not in numbers)
    return Matching(
        truth=truth,
        given=given,
        unknown=dict(sorted(unknown.items())),
        absent=tuple(name for name in model_classes if name not in seen),
        known=len(seen),
    )


def _advise(given: set[str], model_classes: Sequence[str]) -> str:
    spelt = {name.casefold(): name for name in model_classes}
    alike = [
        (name, spelt[name.casefold()])
        for name in sorted(given)
        if name.casefold() in spelt
    ]
    if alike:
        theirs, ours = alike[0]
        return f"Classes are matched by their names: call {theirs} {ours}."
    return (
        "Give their folders the model's names. What it says of images without a label: "
        "task=predict"
    )


def _some(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN
    shown = ", ".join(names[:_SHOWN])
    return f"{shown} and {more:,} more" if more > 0 else shown
