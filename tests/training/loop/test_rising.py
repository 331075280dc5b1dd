from typing import Any

import keras
import numpy as np
import pytest

from experiments.training.loop.rising import RisingSchedule, train_rising


def test_rates_rise_by_the_same_factor() -> None:
    schedule = RisingSchedule(lowest=1e-6, highest=10.0, steps=8)

    found = [float(schedule(step)) for step in (*range(8), 20)]

    expected = [*(10.0 ** np.arange(-6, 2)), 10.0]
    assert found == pytest.approx(expected, rel=1e-5)


def test_losses_are_those_of_single_steps(dense_model: Any, batches: Any) -> None:
    """Each at its own rate, by plain gradient descent written out."""
    model = dense_model(keras.optimizers.SGD(1.0))
    rates, losses = train_rising(
        model,
        batches(6).repeat(),
        lowest=1e-3,
        highest=1.0,
        steps=5,
        goes_on=lambda losses: True,
    )

    other = dense_model(keras.optimizers.SGD(1.0))
    expected = []
    for rate, (x, y) in zip(rates, batches(5), strict=True):
        other.optimizer.learning_rate = rate
        other.reset_metrics()
        expected.append(float(other.train_on_batch(x, y, return_dict=True)["loss"]))
    assert losses == pytest.approx(expected, rel=1e-5)
    assert rates == pytest.approx(list(10.0 ** np.linspace(-3, 0, 5)), rel=1e-5)


def test_it_ends_when_it_is_told_to(dense_model: Any, batches: Any) -> None:
    rates, losses = train_rising(
        dense_model(keras.optimizers.Adam(1.0)),
        batches(6).repeat(),
        lowest=1e-5,
        highest=1.0,
        steps=5,
        goes_on=lambda losses: len(losses) < 3,
    )

    assert len(rates) == len(losses) == 3
