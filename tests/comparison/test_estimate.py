import math

import pytest
import scipy.stats

from experiments.comparison.estimate import estimate


@pytest.mark.parametrize(
    "values", [[0.5, 0.7], [0.1, 0.4, 0.2], [3.0] * 3, [1, 2, 4, 8, 9]]
)
def test_interval_is_students(values: list[float]) -> None:
    low, high = scipy.stats.t.interval(
        0.95,
        len(values) - 1,
        loc=sum(values) / len(values),
        scale=max(scipy.stats.sem(values), 1e-300),
    )
    found = estimate(values)
    assert found.mean is not None
    assert found.margin is not None
    assert found.mean - found.margin == pytest.approx(low)
    assert found.mean + found.margin == pytest.approx(high)


def test_interval_of_two_values_by_hand() -> None:
    """Of 1 and 3: s = sqrt(2), s / sqrt(2) = 1, and t is tan(0.475 pi)."""
    margin = estimate([1.0, 3.0]).margin
    assert margin == pytest.approx(math.tan(0.475 * math.pi))


def test_one_value_has_a_mean_and_no_interval() -> None:
    found = estimate([0.25, None, math.nan, math.inf])
    assert (found.count, found.mean, found.margin) == (1, 0.25, None)
    assert str(found) == str(estimate([])) == "-"
