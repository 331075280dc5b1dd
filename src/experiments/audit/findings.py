"""All that an audit has found."""

from collections.abc import Sequence
from dataclasses import dataclass

from experiments.audit.classes import ClassSize, measure_classes
from experiments.audit.copies import Copies, find_nearly_same, find_same
from experiments.audit.labels import Judgement
from experiments.audit.oddities import Oddity, find_oddities
from experiments.audit.survey import Survey


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What is wrong with a data set.

    Attributes:
        survey: Its images.
        same: Those that are there more than once.
        near: Those that are nearly the same.
        oddities: Those that can hardly teach anything.
        classes: How many images each class has.
        labels: Which labels are probably wrong; `None` without predictions.
    """

    survey: Survey
    same: Sequence[Copies]
    near: Sequence[Copies]
    oddities: Sequence[Oddity]
    classes: Sequence[ClassSize]
    labels: Judgement | None

    def count(self, kind: str) -> int:
        """Returns how many oddities there are of a kind."""
        return sum(oddity.kind == kind for oddity in self.oddities)


def find_all(survey: Survey, *, near_bits: int, labels: Judgement | None) -> Findings:
    """Returns what is found in the images, beside what is known of their labels.

    Args:
        survey: The images.
        near_bits: As `find_nearly_same` takes them.
        labels: What was found of these.
    """
    return Findings(
        survey=survey,
        same=find_same(survey),
        near=find_nearly_same(survey, near_bits),
        oddities=find_oddities(survey),
        classes=measure_classes(survey.dataset),
        labels=labels,
    )
