import numpy as np
import pytest
from sklearn import metrics

from experiments.errors import DataError
from experiments.evaluation.predictions import UNLABELLED
from experiments.evaluation.scores import score
from tests.evaluation.made import draw, make


def test_scores_are_those_of_scikit_learn() -> None:
    p = draw(400, 12)
    found = score(p).overall
    truth, predicted, chances = p.truth, p.predicted, p.probabilities
    expected = {
        "accuracy": metrics.accuracy_score(truth, predicted),
        "top5_accuracy": metrics.top_k_accuracy_score(truth, chances, k=5),
        "balanced_accuracy": metrics.balanced_accuracy_score(truth, predicted),
        "macro_f1": metrics.f1_score(truth, predicted, average="macro"),
        "weighted_f1": metrics.f1_score(truth, predicted, average="weighted"),
        "macro_precision": metrics.precision_score(truth, predicted, average="macro"),
        "roc_auc": metrics.roc_auc_score(truth, chances, multi_class="ovr"),
        "log_loss": metrics.log_loss(truth, chances),
        "brier": ((chances - np.eye(12)[truth]) ** 2).sum(axis=1).mean(),
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected)


def test_classes_are_told_apart_by_their_own_images() -> None:
    p = make(np.eye(3)[[0, 0, 1, 1, 2, 0]], [0, 0, 0, 1, 1, 2])
    first, second, third = score(p).classes
    assert (first.precision, first.recall) == (2 / 3, 2 / 3)
    assert (second.precision, second.recall, second.f1) == (0.5, 0.5, 0.5)
    assert (third.precision, third.recall, third.support) == (0.0, 0.0, 1)


def test_class_without_an_image_is_in_no_mean() -> None:
    # Labels 0 and 2 of three classes; nothing of class 1.
    p = make(np.eye(3)[[0, 0, 2, 1]], [0, 0, 2, 2])
    found = score(p)
    assert found.absent == ("class 1",)
    assert found.overall["balanced_accuracy"] == 0.75
    assert found.overall["macro_f1"] == pytest.approx((1 + 2 / 3) / 2)
    absent = found.classes[1]
    assert (absent.recall, absent.f1, absent.roc_auc) == (None, None, None)
    assert absent.precision == 0.0  # one image was called so
    assert found.overall["brier"] == pytest.approx(
        metrics.brier_score_loss(
            p.truth, p.probabilities, labels=[0, 1, 2], scale_by_half=False
        )
    )


def test_one_class_alone_has_no_area_under_a_curve() -> None:
    found = score(make([[2.0, 1.0], [1.0, 2.0]], [0, 0]))
    assert "roc_auc" not in found.overall
    assert found.overall["accuracy"] == 0.5


def test_two_classes_have_one_area_under_the_curve() -> None:
    p = draw(100, 2, skill=0.5)
    expected = metrics.roc_auc_score(p.truth, p.probabilities[:, 1])
    assert score(p).overall["roc_auc"] == pytest.approx(expected)
    assert "top5_accuracy" not in score(p).overall


def test_image_without_a_label_has_no_score() -> None:
    with pytest.raises(DataError, match="2 images, 1 of them without"):
        score(make([[2.0, 1.0], [1.0, 2.0]], [0, UNLABELLED]))
    with pytest.raises(DataError, match="0 images"):
        score(make(np.zeros((0, 2)), []))
