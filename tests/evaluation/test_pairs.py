import dataclasses

import numpy as np
import pytest
from scipy import stats

from experiments.errors import DataError
from experiments.evaluation.pairs import adjust, compare, describe
from tests.evaluation.made import draw, make


def test_difference_counts_what_only_one_gets_right() -> None:
    truth = [0] * 10
    first = make(np.eye(2)[[0] * 6 + [1] * 4], truth)
    second = make(np.eye(2)[[0] * 5 + [1] + [0] * 3 + [1]], truth)
    found = compare(first, second)
    assert (found.only_first, found.only_second) == (1, 3)
    assert found.accuracy == pytest.approx(0.2)
    # Two-sided: 2 * P(at most 1 of 4) with a fair coin.
    assert found.p_value == pytest.approx(2 * (1 + 4) / 16)


def test_mcnemar_is_that_of_the_table() -> None:
    first, second = draw(500, 4, skill=1.0), draw(500, 4, skill=1.6)
    second = dataclasses.replace(first, outputs=second.outputs)
    found = compare(first, second)
    discordant = found.only_first + found.only_second
    smaller = min(found.only_first, found.only_second)
    expected = min(1.0, 2 * stats.binom.cdf(smaller, discordant, 0.5))
    assert found.p_value == pytest.approx(expected)


def test_order_of_the_images_does_not_matter() -> None:
    first = draw(80, 3)
    shuffled = first.select(np.random.default_rng(0).permutation(80))
    found = compare(first, shuffled)
    assert (found.accuracy, found.only_first, found.p_value) == (0.0, 0, 1.0)
    assert describe(found).startswith("no difference shown")


def test_interval_holds_the_difference_as_often_as_it_says() -> None:
    inside = 0
    generator = np.random.default_rng(7)
    for _ in range(60):
        right = generator.random((2, 150)) < np.array([[0.6], [0.7]])
        outputs = [np.where(row[:, None], [1.0, 0.0], [0.0, 1.0]) for row in right]
        low, high = compare(*(make(one, [0] * 150) for one in outputs)).interval
        inside += low <= 0.1 <= high
    assert inside >= 52  # 95 % of 60 is 57; fewer than 52 have a chance of 1 in 200


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"class_names": ("a", "b", "c")}, "the same classes in the same order"),
        ({"digests": ["0"] * 20}, "20 and 20 images, 0 of them in both"),
        ({"truth": np.zeros(20, np.int64)}, "images with another label"),
    ],
)
def test_other_images_are_not_compared(change: dict[str, object], words: str) -> None:
    first = draw(20, 3)
    with pytest.raises(DataError, match=words):
        compare(first, dataclasses.replace(first, **change))


def test_holm_is_that_of_statistics_textbooks() -> None:
    # Holm's steps by hand: 4 * 0.005, 3 * 0.01, 2 * 0.03, then not less than before.
    assert adjust([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert adjust([0.9, 0.8]) == [1.0, 1.0]
    assert adjust([]) == []


def test_verdict_never_says_equal() -> None:
    first = make(np.eye(2)[[0] * 50 + [1] * 50], [0] * 100)
    better = make(np.eye(2)[[0] * 90 + [1] * 10], [0] * 100)
    assert describe(compare(first, better)).startswith("better by 40.0 points (3")
    assert describe(compare(better, first)).startswith("worse by 40.0 points (3")
    assert "no difference shown" in describe(compare(first, better), p_value=0.2)
