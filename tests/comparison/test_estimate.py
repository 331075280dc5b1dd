import math

import numpy as np
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


@pytest.mark.parametrize(
    ("values", "bounds", "interval"),
    [
        # Of 0.98 and 1.00 the mean is 0.99 and s / sqrt(2) = 0.01; t is 12.706.
        ([0.98, 1.0], (0.0, 1.0), (0.99 - 0.12706, 1.0)),
        ([0.0, 0.02], (0.0, 1.0), (0.0, 0.01 + 0.12706)),
        ([0.5, 0.52], (0.0, 1.0), (0.51 - 0.12706, 0.51 + 0.12706)),
        ([0.1, 0.12], (0.0, math.inf), (0.0, 0.11 + 0.12706)),
        ([98.0, 98.02], (0.0, 1.0), (98.01 - 0.12706, 98.01 + 0.12706)),  # percents
    ],
)
def test_interval_ends_where_the_metric_does(
    values: list[float], bounds: tuple[float, float], interval: tuple[float, float]
) -> None:
    found = estimate(values, bounds=bounds)
    assert found.margin == pytest.approx(0.12706, abs=1e-5)
    assert found.interval == pytest.approx(interval, abs=1e-5)
    assert str(found) == f"{interval[0]:.4f} to {interval[1]:.4f}"


def test_cut_interval_holds_the_mean_as_often_as_students() -> None:
    """Accuracies of three seeds, true mean 0.99: rounds in which both hold it."""
    generator = np.random.default_rng(0)
    drawn = generator.normal(0.99, 0.02, (2000, 3))
    drawn = drawn[(drawn <= 1).all(axis=1)]
    true = float(drawn.mean())
    plain = [estimate(list(row)).interval for row in drawn]
    cut = [estimate(list(row), bounds=(0.0, 1.0)).interval for row in drawn]
    held = [
        [low <= true <= high for low, high in filter(None, x)] for x in (plain, cut)
    ]
    assert held[0] == held[1]
    assert any(one != other for one, other in zip(plain, cut, strict=True))
