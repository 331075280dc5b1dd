"""Settings that are trained with several seeds, over the same images."""

import numpy as np
import pytest
from scipy import stats

from experiments.errors import DataError
from experiments.evaluation.predictions import Predictions
from experiments.evaluation.uncertainty.pairs import compare, describe
from experiments.evaluation.uncertainty.seeds import compare_settings
from tests.evaluation.made import draw, make


def of(right: "np.ndarray[tuple[int, int], np.dtype[np.bool_]]") -> list[Predictions]:
    """Returns models (rows) that get these images (columns) right."""
    return [
        make(np.where(row[:, None], [1.0, 0], [0, 1.0]), [0] * len(row))
        for row in right
    ]


def test_one_model_a_side_is_compared_as_such() -> None:
    first, second = draw(50, 3), draw(50, 3, skill=1.0)
    second = make(second.outputs, first.truth)
    assert compare_settings([first], [second]) == compare(first, second)


def test_difference_is_that_of_the_mean_accuracies() -> None:
    generator = np.random.default_rng(3)
    a, b = generator.random((3, 100)) < 0.6, generator.random((4, 100)) < 0.8
    found = compare_settings(of(a), of(b))
    assert found.accuracy == pytest.approx(b.mean() - a.mean())
    assert found.seeds == (3, 4)


def test_interval_and_p_value_are_students_where_only_seeds_vary() -> None:
    """Each image is the same: what is left is a two-sample t-test of the seeds.

    A gain that is nearly the same for all images has no spread over them.
    """
    generator = np.random.default_rng(5)
    images = 4000
    shares = [np.array([0.5, 0.6, 0.55]), np.array([0.62, 0.75, 0.7, 0.66])]
    sides = []
    for share in shares:
        rows = np.zeros((len(share), images), bool)
        for row, part in zip(rows, share, strict=True):
            row[generator.permutation(images)[: round(part * images)]] = True
        sides.append(rows)
    a, b = (rows.mean(axis=1) for rows in sides)
    found = compare_settings(*map(of, sides))
    expected = stats.ttest_ind(b, a)
    low, high = expected.confidence_interval()
    assert found.p_value == pytest.approx(expected.pvalue, rel=0.15)
    assert found.interval == pytest.approx((low, high), abs=0.005)


def test_interval_and_p_value_are_students_where_only_images_vary() -> None:
    """Seeds of equal accuracy leave a paired t-test over the images."""
    generator = np.random.default_rng(6)
    a = np.repeat((generator.random(150) < 0.6)[None], 2, axis=0)
    b = np.repeat((generator.random(150) < 0.75)[None], 2, axis=0)
    found = compare_settings(of(a), of(b))
    expected = stats.ttest_rel(b[0].astype(float), a[0].astype(float))
    assert found.p_value == pytest.approx(expected.pvalue)
    assert found.interval == pytest.approx(tuple(expected.confidence_interval()))


def test_settings_that_are_equally_good_are_rarely_told_apart() -> None:
    """At most 1 of 20 times; with the luckiest seeds or images alone it is more."""
    generator = np.random.default_rng(11)
    hard = generator.random(200)
    findings = 0
    for _ in range(200):
        sides = []
        for _ in range(2):
            shifts = generator.normal(0.7, 0.05, 3)[:, None]
            sides.append(of(hard + generator.normal(0, 0.1, (3, 200)) < shifts))
        findings += not describe(compare_settings(*sides)).startswith("no difference")
    assert findings <= 17  # 10 are expected; more than 17 have a chance of 1 in 100


def test_interval_is_wider_than_that_of_the_images_alone() -> None:
    generator = np.random.default_rng(2)
    base = generator.random(300)
    a = np.stack([base < share for share in (0.5, 0.6, 0.7)])
    b = np.stack([base < share for share in (0.62, 0.72, 0.82)])
    low, high = compare_settings(of(a), of(b)).interval
    assert high - low > 0.25
    one = compare(of(a)[1], of(b)[1]).interval
    assert one[1] - one[0] < 0.1


def test_side_with_one_seed_spreads_as_the_other() -> None:
    a = np.stack([np.arange(100) < share for share in (50, 60, 70)])
    b = np.arange(100)[None] < 80
    found = compare_settings(of(a), of(b))
    assert found.accuracy == pytest.approx(0.2)
    assert found.interval[0] < 0 < found.interval[1]


@pytest.mark.parametrize("images", [1, 2])
def test_few_images_show_no_difference(images: int) -> None:
    right, wrong = np.ones((2, images), bool), np.zeros((2, images), bool)
    found = compare_settings(of(wrong), of(right))
    assert found.accuracy == 1.0
    assert describe(found).startswith("no difference shown")


def test_identical_predictions_show_no_difference() -> None:
    rows = np.stack([np.arange(30) < 20] * 3)
    found = compare_settings(of(rows), of(rows))
    assert (found.accuracy, found.p_value, found.only_first) == (0.0, 1.0, 0)


def test_difference_without_any_spread_is_tested_by_its_images() -> None:
    right, wrong = np.ones((2, 20), bool), np.zeros((2, 20), bool)
    assert compare_settings(of(wrong), of(right)).p_value == pytest.approx(2 / 2**20)


def test_seeds_over_other_images_are_refused() -> None:
    rows = np.ones((2, 10), bool)
    with pytest.raises(DataError, match="10 and 9 images"):
        compare_settings(of(rows), of(rows[:, :9]))
