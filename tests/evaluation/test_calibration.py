import numpy as np
import pytest

from experiments.errors import DataError
from experiments.evaluation.calibration import (
    BINS,
    fit_temperature,
    measure_calibration_error,
    measure_reliability,
)
from experiments.evaluation.predictions import UNLABELLED
from tests.evaluation.made import draw, make


def test_error_is_the_mean_gap_of_the_bins() -> None:
    # Ten images of confidence 0.9, six of them right: the gap is 0.3; ten of 0.6 in
    # two classes, all right: 0.4.
    outputs = [[0.9, 0.1]] * 10 + [[0.6, 0.4]] * 10
    truth = [0] * 6 + [1] * 4 + [0] * 10
    p = make(outputs, truth, kind="probabilities")
    assert measure_calibration_error(p) == pytest.approx((10 * 0.3 + 10 * 0.4) / 20)


def test_bins_hold_their_upper_end() -> None:
    p = make([[1.0, 0.0], [0.6, 0.4], [0.5, 0.5]], [0, 0, 0], kind="probabilities")
    found = measure_reliability(p)
    # (0.5333, 0.6] is the ninth of fifteen bins, (0.4667, 0.5333] the eighth.
    assert np.flatnonzero(found.counts).tolist() == [7, 8, BINS - 1]
    assert found.accuracy[8] == 1.0
    assert found.confidence[8] == pytest.approx(0.6)
    assert np.isnan(found.accuracy[0])


def test_temperature_of_logits_that_were_made_too_large_is_found() -> None:
    generator = np.random.default_rng(3)
    logits = generator.normal(size=(20_000, 4)) * 2
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    draws = generator.random((len(logits), 1))
    truth = (chances.cumsum(axis=1) < draws).sum(axis=1)
    p = make(logits * 3, truth)
    assert fit_temperature(p) == pytest.approx(3.0, rel=0.03)
    assert measure_calibration_error(p.scaled(3.0)) < 0.02
    assert measure_calibration_error(p) > 0.1


def test_temperature_is_where_the_loss_is_least() -> None:
    p = draw(500, 6)
    best = fit_temperature(p)
    least = p.scaled(best).losses.mean()
    for other in np.geomspace(0.05, 20, 60):
        assert p.scaled(other).losses.mean() >= least - 1e-9


def test_temperature_needs_a_label() -> None:
    with pytest.raises(DataError, match="needs labelled images"):
        fit_temperature(make([[1.0, 2.0]], [UNLABELLED]))
