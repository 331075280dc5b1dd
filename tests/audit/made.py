"""Data sets in memory, of images that are written down."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from experiments.audit.survey import Survey, survey_dataset
from experiments.data.dataset import build_dataset
from experiments.data.split import ArraySplit

Pixels = npt.NDArray[np.uint8]


def noise(count: int, *, side: int = 32, seed: int = 0) -> Pixels:
    """Returns images uint8 `(N, side, side, 1)` that have nothing in common."""
    random = np.random.RandomState(seed)
    coarse = random.randint(0, 256, (count, 8, 8, 1)).astype(np.uint8)
    return coarse.repeat(side // 8, 1).repeat(side // 8, 2)


def survey(train: Any, validation: Any, test: Any = None, **options: Any) -> Survey:
    """Looks at images of a data set in memory.

    Args:
        train: Pairs of an image and its label.
        validation: Likewise.
        test: Likewise; `None` for no test split.
        options: Of `build_dataset`.
    """
    count = 0

    def make(pairs: Sequence[tuple[Pixels, int]]) -> ArraySplit:
        nonlocal count
        start, count = count, count + len(pairs)
        return ArraySplit(
            np.stack([image for image, _ in pairs]),
            np.array([label for _, label in pairs], np.int32),
            np.arange(start, count),
        )

    splits = [make(train), make(validation), None if test is None else make(test)]
    shape = train[0][0].shape
    dataset = build_dataset(
        name="made",
        class_names=options.pop("class_names", ("a", "b")),
        image_shape=shape,
        train=splits[0],  # type: ignore[arg-type]
        validation=splits[1],  # type: ignore[arg-type]
        test=splits[2],
        **options,
    )
    return survey_dataset(dataset)


def alternate(images: Pixels) -> list[tuple[Pixels, int]]:
    """Returns images with the labels 0, 1, 0, 1, ..."""
    return [(image, number % 2) for number, image in enumerate(images)]
