"""What there is to tell of a model on labelled images."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from experiments.evaluation.calibration import is_fit, measure_reliability
from experiments.evaluation.confusion import count_confusions
from experiments.evaluation.predictions import Predictions
from experiments.evaluation.reporting.mistakes import Mistake, list_mistakes
from experiments.evaluation.scores import Scores, score
from experiments.evaluation.uncertainty.bootstrap import Interval
from experiments.evaluation.uncertainty.intervals import measure_intervals

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure

Draw = Callable[[Sequence[int]], "npt.NDArray[np.uint8]"]
Explain = Callable[[Sequence[int], Sequence[int]], "npt.NDArray[np.float32]"]


@dataclass(frozen=True, kw_only=True)
class Unknown:
    """Images whose class a model does not know.

    Attributes:
        predictions: What it says of them all the same, without a label.
        given: The class of each by the data's own name.
    """

    predictions: Predictions
    given: Sequence[str]


@dataclass(frozen=True)
class Report:
    """A model on labelled images.

    Attributes:
        predictions: All of them labelled.
        title: What was evaluated on what.
        temperature: That of the validation split; `None` where it is not known.
        draw: Returns images by their rows, uint8 `(K, H, W, C)`; `None` where they are
            out of reach.
        explain: Returns where images, by their rows, speak for a class of each,
            `(K, H, W)` in 0..1; `None` where nobody can say.
        notes: What a reader has to know of images and scores, a sentence each.
        unknown: What the model said of images whose class it does not know, which no
            score counts; `None` without any.
    """

    predictions: Predictions
    title: str
    temperature: float | None = None
    draw: Draw | None = None
    explain: Explain | None = None
    notes: Sequence[str] = ()
    unknown: "Unknown | None" = None

    @cached_property
    def scores(self) -> Scores:
        """The scores."""
        return score(self.predictions)

    @cached_property
    def intervals(self) -> dict[str, Interval]:
        """Their 95 % intervals over the images, where there are some."""
        return measure_intervals(self.predictions)

    @cached_property
    def mistakes(self) -> list[Mistake]:
        """What is wrong, the surest first."""
        return list(list_mistakes(self.predictions))

    def as_dict(self) -> dict[str, Any]:
        """Returns the scores as plain data."""
        return {
            "images": self.scores.images,
            "metrics": self.scores.overall,
            "intervals_95": {n: list(ends) for n, ends in self.intervals.items()},
            "temperature": self.temperature if is_fit(self.temperature) else None,
            "absent_classes": list(self.scores.absent),
            "unknown_classes": self._count_unknown(),
            "classes": [asdict(one) for one in self.scores.classes],
            "made_of": dict(self.predictions.facts),
        }

    def _count_unknown(self) -> dict[str, int]:
        return {} if self.unknown is None else dict(Counter(self.unknown.given))

    def draw_confusions(self) -> "Figure":
        """Draws which classes are taken for which."""
        from experiments.pictures.confusion_matrix import draw_confusion_matrix

        p = self.predictions
        return draw_confusion_matrix(
            count_confusions(p), p.class_names, title=self.title
        )

    def draw_reliability(self) -> "Figure":
        """Draws whether the model is as sure as it is right."""
        from experiments.pictures.reliability import draw_reliability

        found = measure_reliability(self.predictions)
        error = self.scores.overall["expected_calibration_error"]
        return draw_reliability(
            found.edges,
            found.counts,
            found.confidence,
            found.accuracy,
            title=f"expected calibration error {error:.3f}",
        )
