import numpy as np
import pytest
from scipy import stats

from experiments.evaluation.scores import score
from experiments.evaluation.uncertainty.intervals import _Images, measure_intervals
from tests.evaluation.made import draw


def test_accuracy_has_the_interval_of_its_binomial() -> None:
    p = draw(400, 5)
    right = int((p.predicted == p.truth).sum())
    low, high = measure_intervals(p)["accuracy"]
    expected = stats.binom.ppf([0.025, 0.975], 400, right / 400) / 400
    assert (low, high) == pytest.approx(tuple(expected), abs=0.006)


def test_interval_is_that_of_scipys_bootstrap() -> None:
    p = draw(150, 3)
    found = stats.bootstrap(
        (p.losses,), np.mean, method="percentile", rng=np.random.default_rng(1)
    ).confidence_interval
    low, high = measure_intervals(p)["log_loss"]
    assert (low, high) == pytest.approx((found.low, found.high), rel=0.03)


def test_images_that_are_there_once_have_the_scores_of_the_whole() -> None:
    p = draw(300, 12)
    once = _Images(p).score(np.ones(300, np.int64))
    whole = score(p).overall
    assert once == pytest.approx({name: whole[name] for name in once})


def test_resample_has_the_scores_of_its_images() -> None:
    p = draw(60, 4)
    rows = np.random.default_rng(5).integers(0, 60, 60)
    drawn = score(p.select(rows)).overall
    found = _Images(p).score(np.bincount(rows, minlength=60))
    assert found == pytest.approx({name: drawn[name] for name in found})


def test_same_seed_gives_the_same_interval() -> None:
    p = draw(50, 3)
    assert measure_intervals(p) == measure_intervals(p)
    assert measure_intervals(p) != measure_intervals(p, seed=1)
