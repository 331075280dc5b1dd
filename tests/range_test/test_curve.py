import math

import numpy as np
import pytest

from experiments.range_test.curve import Curve, has_diverged, smooth
from tests.range_test.made import make_curve


def test_smoothed_losses_are_weighted_means_of_the_past() -> None:
    losses = np.random.default_rng(0).normal(size=7)

    smoothed = smooth(list(losses), 0.8)

    for step in range(7):
        weights = 0.8 ** np.arange(step, -1, -1)
        expected = np.average(losses[: step + 1], weights=weights)
        assert smoothed[step] == pytest.approx(expected)


def test_a_constant_loss_is_not_bent_by_smoothing() -> None:
    assert smooth([3.0] * 5, 0.98) == pytest.approx([3.0] * 5)


@pytest.mark.parametrize(
    ("smoothed", "diverged"),
    [
        ([2.0, 1.0, 0.5], False),
        ([2.0, 0.4, 1.9], False),  # four times the least, and still below the first
        ([2.0, 0.4, 2.1], True),
        ([2.0, 1.9, 7.0], False),
        ([2.0, 1.5, 6.1], True),
        ([2.0, math.nan], True),
        ([2.0, math.inf], True),
    ],
)
def test_a_lost_training_is_given_up(smoothed: list[float], diverged: bool) -> None:
    assert has_diverged(smoothed) is diverged


def test_places_of_a_curve_are_those_of_its_formula() -> None:
    curve = make_curve(centre=1e-3, diverges=0.1)

    assert curve.rates[curve.steepest] == pytest.approx(1e-3, rel=0.1)
    assert 0.05 < curve.rates[curve.lowest] < 0.2
    assert curve.fall == pytest.approx(0.5, abs=0.02)
    assert curve.diverged
    assert curve.rates[-1] < 10


def test_a_loss_that_is_no_number_is_no_least_one() -> None:
    curve = Curve(
        seed=0, rates=(1, 2, 3, 4), losses=(2.0, 1.0, 1.5, math.nan), smoothing=0.5
    )

    assert curve.lowest == 1
    assert curve.diverged
    assert curve.as_dict()["losses"][-1] is None
