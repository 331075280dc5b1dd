"""What a model said of the images of a split, as one table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy.special import expit, log_expit, log_softmax, softmax

from experiments.counts import count_of
from experiments.errors import DataError

UNLABELLED = -1
THRESHOLD = 0.5  # of a probability: above it one of several labels is there
# Of what a model that ends in a softmax gives, so that 0 has a logarithm.
_LEAST = float(np.finfo(np.float32).tiny)

# Of several labels: logits, each of a question of its own.
Output = Literal["logits", "probabilities", "several_labels"]
Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Predictions:
    """What one model said of N images and C classes.

    Attributes:
        samples: A stable name for each image: its path in the data set's folder, or its
            number in an archive.
        digests: A short hash of each image's content.
        truth: int `(N,)`, the class of each image; `UNLABELLED` where none is known.
        outputs: float `(N, C)` of the model.
        kind: What the outputs are.
        split: The split of each image.
        class_names: One name a class.
        facts: What it was made of: names and fingerprints of data, model and run.

    Raises:
        DataError: The columns do not fit each other, or an output is no number.
    """

    samples: Sequence[str]
    digests: Sequence[str]
    truth: Integers
    outputs: Floats
    kind: Output
    split: Sequence[str]
    class_names: tuple[str, ...]
    facts: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        count, classes = len(self.samples), len(self.class_names)
        truth = np.asarray(self.truth, np.int64)
        outputs = np.asarray(self.outputs, np.float64)
        lengths = {len(self.digests), len(truth), len(outputs), len(self.split)}
        if lengths != {count} or outputs.shape != (count, classes):
            raise DataError(
                f"Predictions must have one row for each of "
                f"{count_of(count, 'image')} and one column for each of "
                f"{count_of(classes, 'class', 'classes')}. Received: outputs of shape "
                f"{outputs.shape} and {count_of(len(truth), 'label')}."
            )
        if count and not UNLABELLED <= truth.min() <= truth.max() < classes:
            raise DataError(
                f"Labels must lie in 0..{classes - 1}, or be {UNLABELLED} where none "
                f"is known. Received: {truth.min()}..{truth.max()}."
            )
        if not np.isfinite(outputs).all():
            bad = int((~np.isfinite(outputs).all(axis=1)).sum())
            raise DataError(
                f"The model gave no finite numbers for {bad} of "
                f"{count_of(count, 'image')}: its training diverged, or an image is "
                "damaged."
            )
        object.__setattr__(self, "truth", truth)
        object.__setattr__(self, "outputs", outputs)

    def __len__(self) -> int:
        return len(self.samples)

    @property
    def num_classes(self) -> int:
        """Number of classes, C."""
        return len(self.class_names)

    @cached_property
    def log_probabilities(self) -> Floats:
        """Natural logarithm of each class's probability, `(N, C)`."""
        if self.kind == "logits":
            return np.asarray(log_softmax(self.outputs, axis=1))
        if self.has_several_labels:
            return np.asarray(log_expit(self.outputs))
        return np.log(np.maximum(self.probabilities, _LEAST))

    @cached_property
    def probabilities(self) -> Floats:
        """Probability of each class, `(N, C)`.

        A row adds up to 1, unless an image may have several labels.
        """
        if self.has_several_labels:
            return np.asarray(expit(self.outputs))
        if self.kind == "logits":
            return np.asarray(softmax(self.outputs, axis=1))
        return self.outputs / self.outputs.sum(axis=1, keepdims=True)

    @cached_property
    def ranking(self) -> Integers:
        """Classes of each image from the likeliest on, `(N, C)`; ties by number."""
        return np.argsort(-self.outputs, axis=1, kind="stable")

    def is_among_best(self, count: int) -> npt.NDArray[np.bool_]:
        """Returns whether each image's class is among so many likeliest, `(N,)`."""
        return (self.ranking[:, :count] == self.truth[:, None]).any(axis=1)

    @property
    def predicted(self) -> Integers:
        """The likeliest class of each image, `(N,)`."""
        return self.ranking[:, 0]

    @property
    def confidence(self) -> Floats:
        """Probability of the likeliest class, `(N,)`.

        Of several labels that of the answer, yes or no, which is least sure.
        """
        if self.has_several_labels:
            return np.maximum(self.probabilities, 1 - self.probabilities).min(axis=1)
        return np.take_along_axis(self.probabilities, self.ranking[:, :1], 1)[:, 0]

    @property
    def has_several_labels(self) -> bool:
        """Whether each class is a question of its own."""
        return self.kind == "several_labels"

    def list_called(self, row: int) -> list[str]:
        """Returns what an image is said to show: the likeliest class, or several.

        Args:
            row: Of the image.

        Returns:
            One name or, of several labels, those with a probability above 0.5, the
            likeliest first; there may be none.
        """
        if not self.has_several_labels:
            return [self.class_names[self.predicted[row]]]
        shares = self.probabilities[row]
        ranking = self.ranking[row].tolist()
        return [self.class_names[n] for n in ranking if shares[n] > THRESHOLD]

    @property
    def labelled(self) -> npt.NDArray[np.bool_]:
        """Which images have a known class, `(N,)`."""
        return self.truth != UNLABELLED

    @property
    def losses(self) -> Floats:
        """-ln of the probability of each image's own class, `(N,)`."""
        own = np.take_along_axis(self.log_probabilities, self.truth[:, None], 1)
        return np.asarray(-own[:, 0])

    def scaled(self, temperature: float) -> "Predictions":
        """Returns what the model would say at another temperature."""
        outputs = self.log_probabilities / temperature
        return replace(self, outputs=outputs, kind="logits")

    def select(self, rows: npt.NDArray[Any]) -> "Predictions":
        """Returns some of the rows.

        Args:
            rows: Their numbers in the order that is wanted, or a mask `(N,)`.
        """
        places: list[int] = (
            np.flatnonzero(rows) if rows.dtype == bool else rows
        ).tolist()
        return replace(
            self,
            samples=[self.samples[i] for i in places],
            digests=[self.digests[i] for i in places],
            truth=self.truth[places],
            outputs=self.outputs[places],
            split=[self.split[i] for i in places],
        )
