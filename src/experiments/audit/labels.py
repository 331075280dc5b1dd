"""Labels that are probably wrong, by what models say that never saw the images."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from experiments.audit.survey import Survey
from experiments.counts import agree, count_of, name_some
from experiments.errors import DataError
from experiments.evaluation.predictions import Predictions


@dataclass(frozen=True, kw_only=True)
class LabelIssue:
    """An image whose label is probably wrong.

    Attributes:
        row: Of the survey.
        proposed: Number of the class that it probably shows.
        confidence: Probability of that class, 0..1.
        given: Probability of the class that it is given, 0..1: the lower, the surer is
            the mistake.
    """

    row: int
    proposed: int
    confidence: float
    given: float


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """What came of looking at labels.

    Attributes:
        issues: The surest first.
        source: What the predictions are, for a person.
        looked_at: How many images had a prediction.
        unseen: How many images of each split had none.
        changed: How many have another content than when they were predicted.
    """

    issues: Sequence[LabelIssue]
    source: str
    looked_at: int
    unseen: Mapping[str, int]
    changed: int


def judge_labels(survey: Survey, predictions: Predictions, source: str) -> Judgement:
    """Finds labels that are probably wrong by confident learning.

    Args:
        survey: The images, with the labels that are judged.
        predictions: What models say that did not learn from the images; matched by
            sample and digest.
        source: What these are, for a person.

    Raises:
        DataError: They are about other classes.

    Reference:
        Northcutt, Jiang and Chuang (2021), Confident learning: estimating uncertainty
        in dataset labels, JAIR 70; cleanlab's `find_label_issues`.
    """
    order = _match_classes(predictions.class_names, survey.dataset.class_names)
    place = {sample: row for row, sample in enumerate(predictions.samples)}
    rows, columns, changed = [], [], 0
    for row, image in enumerate(survey.places):
        found = place.get(image.sample)
        if found is None:
            continue
        if predictions.digests[found] != image.digest:
            changed += 1
            continue
        rows.append(row)
        columns.append(found)
    shares = predictions.probabilities[columns][:, order]
    labels = np.array([survey.places[row].label for row in rows], np.int64)
    seen = set(rows)
    unseen = [p.split for row, p in enumerate(survey.places) if row not in seen]
    return Judgement(
        issues=_find_issues(rows, labels, shares) if rows else (),
        source=source,
        looked_at=len(rows),
        unseen={split: unseen.count(split) for split in dict.fromkeys(unseen)},
        changed=changed,
    )


def _find_issues(
    rows: Sequence[int], labels: npt.NDArray[np.int64], shares: npt.NDArray[np.float64]
) -> list[LabelIssue]:
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_scores

    with warnings.catch_warnings():
        # Of a class with one image or none nobody can tell.
        warnings.filterwarnings("ignore", "May not flag all label issues")
        wrong = find_label_issues(labels, shares, n_jobs=1)  # more would be processes
    quality = get_label_quality_scores(labels, shares, method="self_confidence")
    proposed = shares.argmax(axis=1)
    # What is likeliest as it is labelled is no proposal.
    places = np.flatnonzero(wrong & (proposed != labels))
    return [
        LabelIssue(
            row=rows[place],
            proposed=int(proposed[place]),
            confidence=float(shares[place, proposed[place]]),
            given=float(quality[place]),
        )
        for place in places[np.argsort(quality[places], kind="stable")].tolist()
    ]


def _match_classes(theirs: Sequence[str], ours: Sequence[str]) -> list[int]:
    """Returns, for each of our classes, its number in the predictions."""
    if set(theirs) != set(ours):
        lacking = sorted(set(ours) - set(theirs)) or sorted(set(theirs) - set(ours))
        raise DataError(
            f"The predictions are about {count_of(len(theirs), 'class', 'classes')} "
            f"and the images about {len(ours)}: {name_some(lacking)} "
            f"{agree(len(lacking), 'belongs', 'belong')} to one of them only. "
            "Choose a run on the same data set."
        )
    return [list(theirs).index(name) for name in ours]
