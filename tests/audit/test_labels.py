"""Labels that are wrong because a test made them so."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores

from experiments.audit.labels import judge_labels
from experiments.audit.survey import Survey
from experiments.errors import DataError
from experiments.evaluation.predictions import Predictions
from tests.audit.made import noise, survey

CLASSES = ("a", "b", "c")
COUNT = 120
TRUTH = np.arange(COUNT) % 3
WRONG = {4: 0, 17: 1, 33: 2, 50: 1}  # image -> its wrong label


def predict(samples: list[str], digests: list[str], skill: float = 20) -> Predictions:
    """Returns what a good model says of the images, each named by its number."""
    random = np.random.RandomState(0)
    numbers = np.array([int(name) for name in samples])
    outputs = random.normal(size=(COUNT, 3)) + skill * np.eye(3)[TRUTH]
    return Predictions(
        samples=samples,
        digests=digests,
        truth=TRUTH[numbers],
        outputs=outputs[numbers],
        kind="logits",
        split=["fold 1"] * len(samples),
        class_names=CLASSES,
    )


@pytest.fixture(scope="module")
def found() -> Survey:
    labels = [WRONG.get(n, int(TRUTH[n])) for n in range(COUNT)]
    pairs = list(zip(noise(COUNT, side=8), labels, strict=True))
    return survey(pairs[:90], pairs[90:105], pairs[105:], class_names=CLASSES)


@pytest.fixture(scope="module")
def predictions(found: Survey) -> Predictions:
    order = np.random.RandomState(1).permutation(COUNT).tolist()
    places = [found.places[n] for n in order]
    return predict([p.sample for p in places], [p.digest for p in places])


def test_wrong_labels_are_found_with_the_right_ones(
    found: Survey, predictions: Predictions
) -> None:
    judged = judge_labels(found, predictions, "a model")
    issues = {int(found.places[i.row].sample): i.proposed for i in judged.issues}
    assert issues == {number: TRUTH[number] for number in WRONG}
    assert (judged.looked_at, judged.unseen, judged.changed) == (COUNT, {}, 0)


def test_issues_are_those_of_cleanlab_the_surest_first(
    found: Survey, predictions: Predictions
) -> None:
    weak = predict(list(predictions.samples), list(predictions.digests), skill=1.5)
    labels = np.array([place.label for place in found.places])
    shares = weak.select(np.argsort([int(s) for s in weak.samples])).probabilities
    wrong = find_label_issues(labels, shares, n_jobs=1)
    quality = get_label_quality_scores(labels, shares, method="self_confidence")
    expected = np.flatnonzero(wrong & (shares.argmax(1) != labels))
    expected = expected[np.argsort(quality[expected])]
    issues = judge_labels(found, weak, "a model").issues
    assert [issue.row for issue in issues] == expected.tolist()
    assert len(issues) > 4
    assert [i.given for i in issues] == pytest.approx(quality[expected].tolist())
    assert [i.confidence for i in issues] == pytest.approx(shares[expected].max(1))


def test_order_of_the_classes_does_not_matter(
    found: Survey, predictions: Predictions
) -> None:
    turned = replace(
        predictions,
        outputs=predictions.outputs[:, [2, 0, 1]],
        truth=(predictions.truth + 1) % 3,
        class_names=("c", "a", "b"),
    )
    issues = judge_labels(found, turned, "a model").issues
    assert {found.places[i.row].sample for i in issues} == set(map(str, WRONG))


def test_images_without_a_prediction_are_counted_by_split(
    found: Survey, predictions: Predictions
) -> None:
    kept = np.array([int(name) < 100 for name in predictions.samples])
    judged = judge_labels(found, predictions.select(kept), "a model")
    assert (judged.looked_at, judged.unseen) == (100, {"validation": 5, "test": 15})


def test_image_that_has_changed_since_is_not_judged(
    found: Survey, predictions: Predictions
) -> None:
    digests = [
        "0" if name == "4" else digest
        for name, digest in zip(predictions.samples, predictions.digests, strict=True)
    ]
    judged = judge_labels(found, replace(predictions, digests=digests), "a model")
    assert judged.changed == 1
    assert "4" not in {found.places[issue.row].sample for issue in judged.issues}


def test_predictions_of_other_classes_are_refused(
    found: Survey, predictions: Predictions
) -> None:
    other = replace(predictions, class_names=("a", "b", "x"))
    with pytest.raises(DataError, match="c belongs to one of them only"):
        judge_labels(found, other, "a model")


def test_class_without_a_judged_image_is_no_error(
    found: Survey, predictions: Predictions
) -> None:
    kept = np.array([found.places[int(n)].label != 2 for n in predictions.samples])
    issues: Any = judge_labels(found, predictions.select(kept), "a model").issues
    # Nobody knows how sure models are of a class that no image is given.
    assert "4" in {found.places[i.row].sample for i in issues} < set(map(str, WRONG))


def test_no_prediction_at_all_is_no_error(
    found: Survey, predictions: Predictions
) -> None:
    nothing = predictions.select(np.zeros(COUNT, np.bool_))
    judged = judge_labels(found, nothing, "a model")
    assert (judged.looked_at, list(judged.issues)) == (0, [])
