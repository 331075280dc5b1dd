"""Which classes of some data a model knows: they are matched by their names."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from experiments.counts import count_of, name_some
from experiments.errors import DataError
from experiments.evaluation.predictions import UNLABELLED, Integers


@dataclass(frozen=True, kw_only=True, eq=False)
class Matching:
    """Classes of data beside those of a model.

    Attributes:
        truth: int `(N,)`, the model's class of each image; `UNLABELLED` where the model
            does not know the image's class.
        given: The class of each image by the data's own name.
        unknown: Classes that the model does not know -> their number of images.
    """

    truth: Integers
    given: tuple[str, ...]
    unknown: dict[str, int]

    def describe(self) -> list[str]:
        """Returns what of the data the model does not know, a sentence or none."""
        if not self.unknown:
            return []
        images = count_of(sum(self.unknown.values()), "image")
        classes = count_of(len(self.unknown), "class", "classes")
        names = name_some(list(self.unknown))
        return [
            f"{images} of {classes} that the model does not know ({names}): listed, "
            "and in no score."
        ]


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
            "The model knows none of the classes of these images. It knows "
            f"{name_some(model_classes)}; theirs are {name_some(sorted(set(given)))}. "
            f"{_advise(set(given), model_classes)}"
        )
    unknown = Counter(name for name in given if name not in numbers)
    return Matching(
        truth=truth,
        given=given,
        unknown=dict(sorted(unknown.items())),
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
