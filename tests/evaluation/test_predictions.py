import numpy as np
import pytest
from scipy.special import softmax

from experiments.errors import DataError
from experiments.evaluation.predictions import UNLABELLED
from tests.evaluation.made import draw, make


def test_probabilities_are_the_softmax_of_logits() -> None:
    p = draw(50, 4)
    assert np.allclose(p.probabilities, softmax(p.outputs, axis=1))
    assert np.allclose(np.exp(p.log_probabilities), p.probabilities)
    large = make([[1000.0, 0.0], [-1000.0, 1000.0]], [1, 1])
    assert large.losses.tolist() == [1000.0, 0.0]


def test_probabilities_of_a_softmax_head_are_taken_as_they_are() -> None:
    p = make([[0.2, 0.8], [1.0, 0.0]], [1, 1], kind="probabilities")
    assert p.probabilities.tolist() == [[0.2, 0.8], [1.0, 0.0]]
    assert p.confidence.tolist() == [0.8, 1.0]
    assert p.losses[0] == pytest.approx(-np.log(0.8))
    assert np.isfinite(p.losses[1])


def test_equal_outputs_are_ranked_by_the_number_of_the_class() -> None:
    p = make([[0.0, 1.0, 1.0], [2.0, 2.0, 2.0]], [0, 0])
    assert p.ranking.tolist() == [[1, 2, 0], [0, 1, 2]]
    assert p.predicted.tolist() == [1, 0]


def test_temperature_changes_no_prediction() -> None:
    p = draw(200, 5)
    for temperature in (0.1, 1.0, 7.0):
        scaled = p.scaled(temperature)
        assert (scaled.predicted == p.predicted).all()
        expected = softmax(p.outputs / temperature, axis=1)
        assert np.allclose(scaled.probabilities, expected)


def test_rows_are_selected_in_the_order_that_is_asked_for() -> None:
    p = draw(6, 3)
    chosen = p.select(np.array([4, 1]))
    assert list(chosen.samples) == ["4", "1"]
    assert (chosen.outputs == p.outputs[[4, 1]]).all()
    assert list(p.select(p.truth == 0).truth) == [0] * int((p.truth == 0).sum())


def test_columns_that_do_not_fit_are_refused() -> None:
    with pytest.raises(DataError, match="one row for each of 2 images"):
        make([[1.0, 2.0], [1.0, 2.0]], [0])
    with pytest.raises(DataError, match=r"Labels must lie in 0\.\.1.*-1\.\.2"):
        make([[1.0, 2.0], [1.0, 2.0]], [UNLABELLED, 2])
    with pytest.raises(DataError, match="no finite numbers for 1 of 2 images"):
        make([[1.0, 2.0], [np.nan, 2.0]], [0, 0])
