from typing import Any

import keras
import pytest

from experiments.training.callbacks import timing
from experiments.training.callbacks.timing import Timing
from experiments.training.loop.fit import fit


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def perf_counter(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(timing, "time", clock)
    return clock


def run_epoch(
    callback: Timing, clock: Clock, steps: list[tuple[int, float]]
) -> dict[str, float]:
    """Plays an epoch: index and seconds of each step, then a validation of 50 s."""
    callback.on_epoch_begin(0)
    for index, seconds in steps:
        clock.now += seconds
        callback.on_train_batch_end(index, {"loss": 1.0})
    clock.now += 50.0
    logs: dict[str, float] = {"loss": 1.0}
    callback.on_epoch_end(0, logs)
    return logs


def test_compilation_and_validation_do_not_count(clock: Clock) -> None:
    callback = Timing(batch_size=8)
    callback.on_train_begin()

    first = run_epoch(callback, clock, [(0, 20.0), (1, 2.0), (2, 2.0)])
    second = run_epoch(callback, clock, [(0, 2.0), (1, 2.0), (2, 2.0)])

    assert first["first_step_seconds"] == pytest.approx(20.0)
    assert first["epoch_seconds"] == pytest.approx(24.0)
    assert first["images_per_second"] == pytest.approx(4.0)
    assert second["epoch_seconds"] == pytest.approx(6.0)
    assert second["images_per_second"] == pytest.approx(4.0)
    assert "first_step_seconds" not in second


def test_compilation_of_a_later_phase_does_not_count(clock: Clock) -> None:
    callback = Timing(batch_size=8)
    callback.on_train_begin()
    callback.begin_phase(is_last=False)
    first = run_epoch(callback, clock, [(0, 20.0), (1, 2.0), (2, 2.0)])

    callback.begin_phase(is_last=True)
    second = run_epoch(callback, clock, [(0, 40.0), (1, 4.0), (2, 4.0)])
    third = run_epoch(callback, clock, [(0, 4.0), (1, 4.0), (2, 4.0)])

    assert first["first_step_seconds"] == pytest.approx(20.0)
    assert "first_step_seconds" not in second
    assert second["epoch_seconds"] == pytest.approx(48.0)
    assert second["images_per_second"] == pytest.approx(2.0)
    assert third["images_per_second"] == pytest.approx(2.0)


def test_several_steps_an_execution_are_counted(clock: Clock) -> None:
    callback = Timing(batch_size=8)
    callback.on_train_begin()

    logs = run_epoch(callback, clock, [(4, 20.0), (9, 10.0)])

    assert logs["images_per_second"] == pytest.approx(5 * 8 / 10.0)


def test_epoch_of_one_step_counts_it(clock: Clock) -> None:
    callback = Timing(batch_size=8)
    callback.on_train_begin()

    assert run_epoch(callback, clock, [(0, 4.0)])["images_per_second"] == 2.0


def test_steps_may_be_noted_out_of_order(clock: Clock) -> None:
    callback = Timing(batch_size=8)
    callback.on_train_begin()

    logs = run_epoch(callback, clock, [(1, 20.0), (2, 1.0), (0, 1.0)])

    assert logs["first_step_seconds"] == pytest.approx(20.0)
    assert logs["images_per_second"] == pytest.approx(2 * 8 / 2.0)


def test_epoch_of_two_processes_takes_the_time_of_both(clock: Clock) -> None:
    first = Timing(batch_size=8)
    first.on_train_begin()
    first.on_epoch_begin(0)
    for index, seconds in ((0, 20.0), (1, 2.0)):
        clock.now += seconds
        first.on_train_batch_end(index)
    second = Timing(batch_size=8)
    second.on_train_begin()
    second.on_epoch_begin(0)
    second.set_state(first.get_state())
    for index, seconds in ((2, 10.0), (3, 1.0)):
        clock.now += seconds
        second.on_train_batch_end(index)
    logs: dict[str, float] = {}

    second.on_epoch_end(0, logs)

    assert logs == {
        "epoch_seconds": 33.0,
        "first_step_seconds": 10.0,
        "images_per_second": 8.0,
    }


def test_epoch_of_which_only_the_validation_is_left_keeps_its_time(
    clock: Clock,
) -> None:
    callback = Timing(batch_size=8)
    callback.on_train_begin()
    callback.on_epoch_begin(0)
    callback.set_state({"seconds": 4.0, "steps": 3})
    logs: dict[str, float] = {}

    callback.on_epoch_end(0, logs)

    assert logs == {"epoch_seconds": 4.0, "images_per_second": 6.0}


def test_epoch_continued_at_its_last_step_counts_that_step_alone(clock: Clock) -> None:
    callback = Timing(batch_size=8)
    callback.on_train_begin()
    callback.on_epoch_begin(0)
    callback.set_state({"seconds": 4.0, "steps": 3})
    clock.now += 2.0
    callback.on_train_batch_end(3)
    logs: dict[str, float] = {}

    callback.on_epoch_end(0, logs)

    assert logs["images_per_second"] == 4.0


def test_real_training_gets_the_metrics(dense_model: Any, batches: Any) -> None:
    history = fit(
        dense_model(keras.optimizers.SGD(0.1)),
        train_from=batches(6).skip,
        validation=batches(1),
        epochs=2,
        steps_per_epoch=3,
        callbacks={"timing": Timing(batch_size=8)},
    )

    first, second = history.epochs
    assert first["epoch_seconds"] > first["first_step_seconds"] > 0
    assert second["images_per_second"] > 0
