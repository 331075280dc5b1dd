"""Coverage is measured on models whose calibration error is known."""

from collections.abc import Callable

import numpy as np
import pytest

from experiments.evaluation.calibration import (
    locate_bins,
    measure_calibration_error,
)
from experiments.evaluation.predictions import Predictions
from experiments.evaluation.uncertainty.calibration_interval import (
    ResampledGaps,
    find_calibration_interval,
)
from experiments.evaluation.uncertainty.intervals import measure_intervals
from tests.evaluation.made import draw, make

_TRIALS, _RESAMPLES = 100, 200
Curve = Callable[[np.ndarray], np.ndarray]


def _spread(generator: np.random.Generator, count: int) -> np.ndarray:
    return generator.uniform(0.5, 1, count)


def _sure(generator: np.random.Generator, count: int) -> np.ndarray:
    return np.maximum(generator.beta(20, 0.5, count), 0.5)


MODELS: dict[str, tuple[Callable[..., np.ndarray], Curve]] = {
    "calibrated": (_spread, lambda sure: sure),
    "calibrated, nearly always right": (_sure, lambda sure: sure),
    "a little too sure": (_spread, lambda sure: sure - 0.04),
    "far too sure": (_spread, lambda sure: sure - 0.15),
    "too sure, nearly always right": (_sure, lambda sure: sure - 0.03),
    "not sure enough": (_spread, lambda sure: np.minimum(1, 1.1 * sure)),
    "both": (_spread, lambda sure: np.clip(sure + 0.08 * np.sin(9 * sure), 0, 1)),
}


def _predict(sure: np.ndarray, right: np.ndarray) -> Predictions:
    """Returns predictions of two classes, all of the first one."""
    chances = np.stack([sure, 1 - sure], axis=1)
    return make(chances, np.where(right, 0, 1), kind="probabilities")


def _measure(p: Predictions, seed: int) -> tuple[tuple[float, float], float]:
    """Returns the interval, and the lower end that plain percentiles would have."""
    count = len(p)
    generator = np.random.default_rng(seed)
    drawn = generator.integers(0, count, (_RESAMPLES, count))
    weights = np.stack([np.bincount(row, minlength=count) for row in drawn])
    gaps = ResampledGaps(p, seed)
    noise = gaps.measure_noise(weights)
    resampled = np.abs(gaps.gaps + noise).sum(1)
    ends = find_calibration_interval(gaps.gaps, noise)
    return ends, float(np.quantile(resampled, 0.025))


def _error_of(sure: np.ndarray, curve: Curve) -> float:
    gaps = np.bincount(locate_bins(sure), curve(sure) - sure) / len(sure)
    return float(np.abs(gaps).sum())


@pytest.mark.parametrize("images", [100, 400])
@pytest.mark.parametrize("model", MODELS)
def test_interval_holds_the_known_error(model: str, images: int) -> None:
    confidences, curve = MODELS[model]
    generator = np.random.default_rng(images)
    truth = _error_of(confidences(generator, 1_000_000), curve)
    held = 0
    for trial in range(_TRIALS):
        sure = confidences(generator, images)
        right = generator.random(images) < curve(sure)
        (low, high), _ = _measure(_predict(sure, right), trial)
        held += low <= truth <= high
    assert held >= 91  # 95 of 100 less two standard deviations


def test_plain_percentiles_never_hold_that_of_a_calibrated_model() -> None:
    generator = np.random.default_rng(3)
    for trial in range(20):
        sure = _spread(generator, 500)
        _, plain = _measure(_predict(sure, generator.random(500) < sure), trial)
        assert plain > 0


def test_gaps_add_up_to_the_calibration_error() -> None:
    p = draw(300, 4)
    total = np.abs(ResampledGaps(p, 0).gaps).sum()
    assert total == pytest.approx(measure_calibration_error(p))


def test_interval_holds_the_measured_error_and_stays_in_its_range() -> None:
    for count in (1, 5, 40, 400):
        p = draw(count, 3)
        low, high = measure_intervals(p)["expected_calibration_error"]
        assert 0 <= low <= measure_calibration_error(p) <= high <= 1


def test_model_without_a_mistake_may_still_be_too_sure() -> None:
    # None of 100 wrong: the share that is may be 3 % (rule of three).
    p = _predict(np.full(100, 0.9999), np.full(100, True))
    low, high = measure_intervals(p)["expected_calibration_error"]
    assert low == 0
    assert 0.01 < high < 0.05
