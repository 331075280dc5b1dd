"""What a model said of images of which each may have several classes, or none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from experiments.counts import count_of
from experiments.errors import DataError
from experiments.evaluation.predictions import THRESHOLD

Table = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class SeveralPredictions:
    """What one model said of N images and C classes, each a question of its own.

    Attributes:
        samples: A stable name for each image, see `name_samples`.
        digests: A short hash of each image's content.
        truth: uint8 `(N, C)`: 1 where a class is there.
        outputs: float `(N, C)`, the model's logits.
        split: Where the images are.
        class_names: One name a class.
        facts: What it was made of: names and fingerprints of data, model and run.

    Raises:
        DataError: The columns do not fit each other, or an output is no number.
    """

    samples: Sequence[str]
    digests: Sequence[str]
    truth: Table
    outputs: Floats
    split: str
    class_names: tuple[str, ...]
    facts: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        shape = len(self.samples), len(self.class_names)
        truth = np.asarray(self.truth, np.uint8)
        outputs = np.asarray(self.outputs, np.float64)
        if {truth.shape, outputs.shape} != {shape} or len(self.digests) != shape[0]:
            raise DataError(
                f"Predictions must have one row for each of "
                f"{count_of(shape[0], 'image')} and one column for each of "
                f"{count_of(shape[1], 'class', 'classes')}. Received: outputs of shape "
                f"{outputs.shape} and labels of shape {truth.shape}."
            )
        if not np.isfinite(outputs).all():
            raise DataError(
                "The model gave no finite numbers for some images: its training "
                "diverged, or an image is damaged."
            )
        object.__setattr__(self, "truth", truth)
        object.__setattr__(self, "outputs", outputs)

    def __len__(self) -> int:
        return len(self.samples)

    @property
    def probabilities(self) -> Floats:
        """Of each class in each image, float `(N, C)`."""
        return np.asarray(expit(self.outputs))

    @property
    def called(self) -> Table:
        """uint8 `(N, C)`: 1 where a class's probability is above the threshold."""
        return (self.probabilities > THRESHOLD).astype(np.uint8)
