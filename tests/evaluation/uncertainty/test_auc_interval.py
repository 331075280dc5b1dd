import warnings

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from experiments.evaluation.scores import score
from experiments.evaluation.uncertainty.auc_interval import ResampledAUC
from experiments.evaluation.uncertainty.bootstrap import find_interval
from experiments.evaluation.uncertainty.intervals import measure_intervals
from tests.evaluation.made import draw, make


def _draw_weights(images: int, count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).multinomial(images, [1 / images] * images, count)


def _average_area(truth: np.ndarray, chances: np.ndarray, weights: np.ndarray) -> float:
    """Returns the mean over classes of the share of pairs in the right order."""
    areas = []
    for number in np.unique(truth[weights > 0]):
        own = truth == number
        scores = chances[:, number]
        gaps = scores[own, None] - scores[None, ~own]
        pairs = weights[own, None] * weights[None, ~own]
        areas.append((pairs * (0.5 + 0.5 * np.sign(gaps))).sum() / pairs.sum())
    return float(np.mean(areas))


def test_images_that_are_there_once_have_the_area_of_the_whole() -> None:
    p = draw(200, 5)
    (found,) = ResampledAUC(p).measure(np.ones((1, 200), np.int64))
    assert found == pytest.approx(score(p).overall["roc_auc"])


@pytest.mark.parametrize("classes", [2, 7])
def test_interval_is_that_of_areas_computed_anew_for_each_resample(
    classes: int,
) -> None:
    p = draw(150, classes, skill=1.0)
    weights = _draw_weights(150, 300)
    anew = [_average_area(p.truth, p.probabilities, w) for w in weights]
    expected = find_interval(np.array(anew))
    found = find_interval(ResampledAUC(p).measure(weights))
    assert found == pytest.approx(expected, abs=0.1 * (expected[1] - expected[0]))


def test_equal_scores_count_half() -> None:
    outputs = np.random.default_rng(0).integers(0, 3, (80, 2)).astype(float)
    p = make(outputs, np.arange(80) % 2)
    (found,) = ResampledAUC(p).measure(np.ones((1, 80), np.int64))
    assert found == pytest.approx(roc_auc_score(p.truth, p.probabilities[:, 1]))


def test_class_that_a_resample_lacks_is_in_no_mean() -> None:
    p = draw(60, 3)
    weights = np.where(p.truth == 2, 0, 1)[None]
    (found,) = ResampledAUC(p).measure(weights)
    kept = score(p.select(p.truth != 2)).overall["roc_auc"]
    assert found == pytest.approx(kept, abs=0.02)
    only = np.where(p.truth == 0, 1, 0)[None]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isnan(ResampledAUC(p).measure(only)).all()


def test_images_of_one_class_have_no_area() -> None:
    p = make(np.zeros((9, 3)), np.ones(9, np.int64))
    assert not ResampledAUC(p).is_any
    assert "roc_auc" not in measure_intervals(p)


def test_interval_holds_the_area_of_two_normal_distributions() -> None:
    # Scores N(0, 1) and N(d, 1) have the area Phi(d / sqrt 2): 0.8556 for d = 1.5.
    held, generator = 0, np.random.default_rng(4)
    for number in range(100):
        truth = np.arange(200) % 2
        shift = generator.normal(size=200) + 1.5 * truth
        p = make(np.stack([np.zeros(200), shift], axis=1), truth)
        ends = find_interval(ResampledAUC(p).measure(_draw_weights(200, 300, number)))
        held += ends[0] <= 0.8556 <= ends[1]
    assert held >= 90
