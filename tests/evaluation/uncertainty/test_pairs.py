import dataclasses

import numpy as np
import pytest
from scipy import stats

from experiments.errors import DataError
from experiments.evaluation.uncertainty.pairs import (
    adjust,
    compare,
    describe,
    measure_mcnemar,
)
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
        ({"class_names": ("a", "b", "c")}, "over the same classes only"),
        ({"digests": ["0"] * 20}, "20 and 20 images, 0 of them in both"),
        ({"truth": np.zeros(20, np.int64)}, "images with another label"),
    ],
)
def test_other_images_are_not_compared(change: dict[str, object], words: str) -> None:
    first = draw(20, 3)
    with pytest.raises(DataError, match=words):
        compare(first, dataclasses.replace(first, **change))


def test_interval_is_that_of_images_drawn_one_by_one() -> None:
    """The multinomial draws have the quantiles of a resampling of the images."""
    first = draw(300, 4, skill=1.0)
    other = dataclasses.replace(first, outputs=draw(300, 4, skill=1.6).outputs)
    ours, theirs = first.predicted == first.truth, other.predicted == first.truth
    gains = theirs.astype(float) - ours
    drawn = np.random.default_rng(1).choice(gains, (4000, 300)).mean(axis=1)
    expected = np.quantile(drawn, [0.025, 0.975])
    assert compare(first, other).interval == pytest.approx(tuple(expected), abs=0.007)


@pytest.mark.parametrize(
    ("only_first", "only_second"),
    [(0, 0), (1, 0), (3, 3), (12, 4), (0, 31), (480, 430), (3000, 3001)],
)
def test_mcnemar_is_scipys_binomial_test(only_first: int, only_second: int) -> None:
    count = only_first + only_second
    expected = stats.binomtest(only_first, count, 0.5).pvalue if count else 1.0
    assert measure_mcnemar(only_first, only_second) == pytest.approx(expected)


def test_60_and_50_of_100_right_with_known_discordant_images() -> None:
    """A is right on 60, B on 50; both on 45, so 15 are A's alone and 5 are B's."""
    ours = np.arange(100) < 60
    theirs = (np.arange(100) < 45) | ((np.arange(100) >= 60) & (np.arange(100) < 65))
    right, wrong = np.eye(2)
    a = make(np.where(ours[:, None], right, wrong), [0] * 100)
    b = make(np.where(theirs[:, None], right, wrong), [0] * 100)
    found = compare(b, a)
    assert (found.only_first, found.only_second) == (5, 15)
    assert found.accuracy == pytest.approx(0.1)
    # 2 * P(at most 5 of 20) = 2 * 21700 / 2**20
    assert found.p_value == pytest.approx(43400 / 2**20)
    assert describe(found).startswith("better by 10.0 points (1.0 to 19.0)")


def test_one_image_shows_no_difference() -> None:
    right, wrong = make([[1.0, 0.0]], [0]), make([[0.0, 1.0]], [0])
    found = compare(wrong, right)
    assert (found.accuracy, found.p_value) == (1.0, 1.0)
    assert describe(found).startswith("no difference shown")


def test_classes_in_another_order_are_matched_by_name() -> None:
    first = draw(60, 3)  # the third class may be absent in some
    order = [2, 0, 1]
    names = tuple(first.class_names[number] for number in order)
    moved = dataclasses.replace(
        first,
        outputs=first.outputs[:, order],
        truth=np.argsort(order)[first.truth],
        class_names=names,
    )
    assert compare(first, moved).accuracy == 0.0
    assert compare(first, moved).only_first == 0
    unlabelled = dataclasses.replace(moved, truth=np.full(60, -1))
    with pytest.raises(DataError, match="60 of 60 images with another label"):
        compare(first, unlabelled)


def test_classes_that_no_image_has_change_nothing() -> None:
    first = make(np.eye(5)[[0, 0, 4, 4]], [0, 4, 4, 4])
    second = make(np.eye(5)[[0, 4, 4, 0]], [0, 4, 4, 4])
    found = compare(first, second)
    assert (found.only_first, found.only_second) == (1, 1)


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


@pytest.mark.parametrize(
    ("only_first", "only_second", "images"),
    [(6, 237, 270), (12, 8, 100), (0, 6, 100), (40, 71, 1000)],
)
def test_interval_is_that_of_the_exact_distribution_of_all_resamples(
    only_first: int, only_second: int, images: int
) -> None:
    """The gain of a resample is a sum of draws: its law is a convolution."""
    one = np.array([only_first, images - only_first - only_second, only_second])
    law = np.ones(1)
    for _ in range(images):
        law = np.convolve(law, one / images)
    gains = np.arange(-images, images + 1) / images
    below = law.cumsum()
    exact = [gains[np.searchsorted(below, share)] for share in (0.025, 0.975)]

    numbers = np.arange(images)
    ours = numbers < only_second
    theirs = (numbers >= only_second) & (numbers < only_second + only_first)
    right, wrong = np.eye(2)
    first = make(np.where(theirs[:, None], right, wrong), [0] * images)
    second = make(np.where(ours[:, None], right, wrong), [0] * images)

    # 2,000 resamples know a quantile to an image or two.
    assert compare(first, second).interval == pytest.approx(exact, abs=2.01 / images)
