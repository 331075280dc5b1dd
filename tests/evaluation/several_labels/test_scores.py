"""Scores of several labels an image, against scikit-learn and by hand."""

import numpy as np
import pytest
from scipy.special import expit
from sklearn.metrics import average_precision_score, f1_score, log_loss

from experiments.evaluation.several_labels.predictions import SeveralPredictions
from experiments.evaluation.several_labels.scores import (
    measure_held_out,
    score_classes,
    score_several,
)


def make(truth: list[list[int]], outputs: list[list[float]]) -> SeveralPredictions:
    count = len(truth)
    return SeveralPredictions(
        samples=[f"{n}.png" for n in range(count)],
        digests=["d"] * count,
        truth=np.array(truth, np.uint8),
        outputs=np.array(outputs),
        split="test",
        class_names=tuple("abcd"[: len(truth[0])]),
    )


@pytest.fixture
def drawn() -> SeveralPredictions:
    random = np.random.RandomState(0)
    truth = random.rand(200, 4) < (0.5, 0.3, 0.1, 0.0)
    outputs = np.round(random.randn(200, 4) + truth, 1)  # ties
    return make(truth.astype(int).tolist(), outputs.tolist())


def test_scores_are_those_of_scikit_learn_over_the_classes_that_are_there(
    drawn: SeveralPredictions,
) -> None:
    truth, outputs = drawn.truth[:, :3], drawn.outputs[:, :3]
    found = score_several(drawn)

    assert found["map"] == pytest.approx(
        average_precision_score(truth, outputs, average="macro")
    )
    f1 = f1_score(truth, outputs > 0, average="macro", zero_division=0)
    assert found["macro_f1"] == pytest.approx(f1)
    micro = f1_score(drawn.truth, drawn.outputs > 0, average="micro")
    assert found["micro_f1"] == pytest.approx(micro)
    losses = [
        log_loss(drawn.truth[:, n], expit(drawn.outputs[:, n]), labels=[0, 1])
        for n in range(4)
    ]
    assert found["loss"] == pytest.approx(np.mean(losses))


def test_an_epoch_measures_what_the_evaluation_does(drawn: SeveralPredictions) -> None:
    epoch, whole = measure_held_out(drawn.truth, drawn.outputs), score_several(drawn)

    assert epoch == {name: whole[name] for name in epoch}


def test_scores_by_hand() -> None:
    """Class a: ranks 1 and 3 of 3, so (1/1 + 2/3) / 2; class b: rank 2, so 1/2."""
    p = make([[1, 0], [0, 1], [1, 0]], [[3.0, 1.0], [2.0, -1.0], [1.0, -2.0]])
    found, (a, b) = score_several(p), score_classes(p)

    assert a.average_precision == pytest.approx(5 / 6)
    assert b.average_precision == pytest.approx(1 / 2)
    assert found["map"] == pytest.approx((5 / 6 + 1 / 2) / 2)
    assert (a.support, a.called, a.recall, a.precision) == (2, 3, 1.0, 2 / 3)
    assert found["exact_match"] == pytest.approx(1 / 3)  # the last one
    # Of `a` two of three that were called are right, of `b` the one that was is not.
    assert found["macro_precision"] == pytest.approx(1 / 3)
    assert found["macro_recall"] == pytest.approx(1 / 2)
    assert found["micro_precision"] == pytest.approx(2 / 4)
    assert found["micro_recall"] == pytest.approx(2 / 3)


def test_what_cannot_be_told_of_a_class_is_told_of_none() -> None:
    p = make([[1, 0], [0, 0]], [[1.0, -1.0], [-1.0, -1.0]])
    _, absent = score_classes(p)

    assert absent.average_precision is absent.recall is absent.precision is None
    assert score_several(p)["map"] == 1.0


def test_what_is_no_number_has_no_score() -> None:
    found = measure_held_out(np.array([[1, 0]], np.uint8), np.array([[np.nan, 0.0]]))

    assert all(np.isnan(value) for value in found.values())
