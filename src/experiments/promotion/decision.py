"""Whether a model takes the place of the champion, and why."""

from dataclasses import dataclass, replace
from typing import Literal

from experiments.counts import count_of, name_some
from experiments.errors import DataError
from experiments.evaluation.predictions import Predictions
from experiments.evaluation.uncertainty.pairs import ALPHA, Difference, compare

Verdict = Literal["first", "better", "forced", "refused", "same"]


@dataclass(frozen=True, kw_only=True)
class Champion:
    """The version that is to be beaten.

    Attributes:
        number: Of the version.
        weights: Hash of its weights; `None` where it could not be read.
        class_names: That it knows; likewise.
        predictions: What it says of the candidate's test images; `None` where it was
            not asked.
        problem: Why it was not, a sentence.
        doubt: What is to be known beside the comparison, a sentence.
    """

    number: str
    weights: str | None = None
    class_names: tuple[str, ...] | None = None
    predictions: Predictions | None = None
    problem: str = ""
    doubt: str = ""


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What becomes of a candidate.

    Attributes:
        verdict: `first` without a champion, `better` than it, `forced`, `refused`, or
            the `same` model as it.
        reason: A sentence for people.
        against: Number of the champion that it was held against; `None` without one.
        difference: From that one to the candidate, where they could be compared.
    """

    verdict: Verdict
    reason: str
    against: str | None = None
    difference: Difference | None = None

    @property
    def moves(self) -> bool:
        """Whether the candidate becomes the champion."""
        return self.verdict in ("first", "better", "forced")


def decide(
    predictions: Predictions,
    champion: Champion | None,
    *,
    weights: str,
    force: bool = False,
    others: int = 0,
) -> Decision:
    """Decides whether a candidate becomes the champion.

    It does where there is none, and where it is better on the same test images by more
    than the interval: the 95 % interval of the difference of the accuracies (a paired
    bootstrap over the images) lies above 0, and so uneven a division of the images that
    only one gets right would come by chance in less than 5 % of cases (McNemar's exact
    test).

    Args:
        predictions: Of the candidate over its test images, all of them labelled.
        champion: What it is held against; `None` without one.
        weights: Hash of the candidate's weights.
        force: Let it become the champion all the same.
        others: Versions of other weights; without a champion none of them is it.
    """
    if champion is None:
        told = "The first version: there was no champion to beat."
        if others:
            versions = count_of(others, "other version")
            told = f"There was no champion to beat among {versions}."
        return Decision(verdict="first", reason=told)
    if champion.weights == weights:
        told = f"Version {champion.number}, of the same weights, is the champion."
        return Decision(verdict="same", reason=told, against=champion.number)
    found = _hold_against(predictions, champion)
    if force and not found.moves:
        return replace(found, verdict="forced", reason=f"Forced. {found.reason}")
    return found


def _hold_against(predictions: Predictions, champion: Champion) -> Decision:
    number = champion.number
    problem = champion.problem or _find_class_fault(predictions, champion)
    if not problem and champion.predictions is None:
        problem = f"Version {number} was not asked."
    if problem or champion.predictions is None:
        return Decision(verdict="refused", reason=problem, against=number)
    try:
        difference = compare(champion.predictions, predictions)
    except DataError as error:
        told = f"Version {number} and this model cannot be compared. {error}"
        return Decision(verdict="refused", reason=told, against=number)
    return Decision(
        verdict="better" if is_better(difference) else "refused",
        reason=" ".join(filter(None, [_describe(difference, number), champion.doubt])),
        against=number,
        difference=difference,
    )


def is_better(difference: Difference) -> bool:
    """Tells whether the second model is better by more than the interval."""
    return difference.interval[0] > 0 and difference.p_value < ALPHA


def _find_class_fault(predictions: Predictions, champion: Champion) -> str:
    """Returns why two models cannot take each other's place; nothing where they can."""
    theirs, ours = set(champion.class_names or ()), set(predictions.class_names)
    if champion.class_names is None or theirs == ours:
        return ""
    parts = [
        f"{name_some(sorted(names))} {known}"
        for names, known in (
            (ours - theirs, "only this model knows"),
            (theirs - ours, f"only version {champion.number} knows"),
        )
        if names
    ]
    return (
        f"The classes are others than those of version {champion.number}: "
        f"{'; '.join(parts)}. Whoever asks the champion would get other answers."
    )


def _describe(difference: Difference, number: str) -> str:
    """Returns the outcome of a comparison, which never says that they are equal."""
    low, high = (100 * end for end in difference.interval)
    points = 100 * difference.accuracy
    p = difference.p_value
    chance = "p < 0.0001" if p < 0.0001 else f"p = {p:.2g}"
    where = f"on {count_of(difference.images, 'test image')} ({chance})"
    if is_better(difference):
        return (
            f"Better than version {number} by {points:.1f} points of accuracy, "
            f"{low:.1f} to {high:.1f}, {where}."
        )
    if high < 0 and p < ALPHA:
        return (
            f"Worse than version {number} by {-points:.1f} points of accuracy, "
            f"{-high:.1f} to {-low:.1f}, {where}."
        )
    return (
        f"Not shown to be better than version {number}: {points:+.1f} points of "
        f"accuracy, {low:+.1f} to {high:+.1f}, {where}."
    )
