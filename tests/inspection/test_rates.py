"""Rates of an optimizer, by the formula of its schedule."""

from functools import partial

import keras
import pytest

from experiments.inspection.rates import list_rates
from experiments.training.callbacks.monitors import rate_at
from experiments.training.schedules import StepSchedule


def make_optimizer(**options):
    schedule = StepSchedule(
        peak_lr=1.0, steps_per_epoch=10, warmup_start=0.0, **options
    )
    return keras.optimizers.SGD(schedule)


def test_each_step_of_a_short_training_is_known() -> None:
    optimizer = make_optimizer(epochs=4, warmup_epochs=1, milestones=[2])
    rates = list_rates(partial(rate_at, optimizer), steps_per_epoch=10, epochs=4)
    rising = [step / 10 for step in range(10)]
    expected = [*rising, *[1.0] * 10, *[0.1] * 20]
    assert list(rates.steps) == list(range(40))
    assert list(rates.steps.values()) == pytest.approx(expected)
    assert rates.epochs == pytest.approx({1: 0.9, 2: 1.0, 3: 0.1, 4: 0.1})
    assert (rates.first, rates.peak) == (0, (10, 1.0))
    assert rates.last == pytest.approx(0.1)
    assert int(optimizer.iterations) == 0
    told = "0 at first, 1 at its peak in epoch 2, 0.1 in the last of 40 steps"
    assert rates.describe() == told


def test_of_a_long_training_some_epochs_are_known_with_their_begin_and_end() -> None:
    optimizer = make_optimizer(epochs=1000, warmup_epochs=999, milestones=[1])
    rates = list_rates(partial(rate_at, optimizer), steps_per_epoch=10, epochs=1000)
    assert len(rates.steps) <= 600
    assert {0, 9, 9990, 9999} <= rates.steps.keys()
    assert len(rates.epochs) == 100
    assert list(rates.epochs)[::99] == [1, 1000]


def test_optimizer_without_a_schedule_keeps_its_rate() -> None:
    rates = list_rates(
        partial(rate_at, keras.optimizers.SGD(0.5)), steps_per_epoch=2, epochs=2
    )
    assert rates.steps == dict.fromkeys(range(4), 0.5)
    assert rates.describe() == "0.5 in each of 4 steps"
