import time
from typing import Any

import pytest
import tensorflow as tf

from experiments.training.loop import waiting
from experiments.training.loop.waiting import DataClock

SLOW = 0.02  # seconds a batch


class Model:
    steps_per_execution = 1
    train_function: Any = None  # as before the first step: it is not compiled anew

    class distribute_strategy:  # noqa: N801 - as Keras has it
        num_replicas_in_sync = 1


def batches(seconds: float) -> Any:
    """Returns numbers that take so long each to make."""

    def make(number: int) -> int:
        time.sleep(seconds)
        return number

    numbers = tf.data.Dataset.range(100)
    return numbers.map(lambda n: tf.numpy_function(make, [n], tf.int64))


def train(clock: DataClock, timed: Any, steps: int) -> None:
    for _ in range(steps):
        clock.begin_step()
        next(timed)


def test_batches_are_the_same() -> None:
    timed = DataClock().watch(batches(0.0), Model())
    assert list(timed.take(5).as_numpy_iterator()) == [0, 1, 2, 3, 4]


def test_what_a_batch_takes_is_waited_for() -> None:
    clock = DataClock()
    timed = iter(clock.watch(batches(SLOW), Model()))
    begin = time.perf_counter()
    train(clock, timed, 5)
    whole = time.perf_counter() - begin

    waited = clock.take_seconds()
    assert waited is not None
    assert 5 * SLOW <= waited <= whole
    assert clock.take_seconds() == 0.0


def test_batches_that_are_there_are_not_waited_for() -> None:
    clock = DataClock()
    timed = iter(clock.watch(batches(SLOW).take(5).cache().repeat(), Model()))
    train(clock, timed, 5)
    clock.take_seconds()
    train(clock, timed, 5)

    waited = clock.take_seconds()
    assert waited is not None
    assert waited < 5 * SLOW


def test_waiting_is_timed_inside_a_compiled_function_too() -> None:
    clock = DataClock()
    timed = iter(clock.watch(batches(SLOW), Model()))
    step = tf.function(lambda iterator: iterator.get_next() + 1)
    for _ in range(3):
        clock.begin_step()
        step(timed)

    waited = clock.take_seconds()
    assert waited is not None
    assert waited >= 3 * SLOW


def test_waiting_is_not_known_where_batches_are_shared_by_devices(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Model.distribute_strategy, "num_replicas_in_sync", 2)
    monkeypatch.setattr(waiting.keras.backend, "backend", lambda: "tensorflow")
    clock = DataClock()
    numbers = batches(0.0)

    assert clock.watch(numbers, Model()) is numbers
    assert clock.take_seconds() is None


def test_waiting_is_not_known_where_several_batches_are_taken_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Model, "steps_per_execution", 2)
    clock = DataClock()

    clock.watch(batches(0.0), Model())

    assert clock.take_seconds() is None


@pytest.mark.parametrize("exact", [True, False])
def test_compilation_is_no_waiting(
    monkeypatch: pytest.MonkeyPatch, exact: bool
) -> None:
    """A step is compiled before it takes its batch; the seventh would be sampled."""
    monkeypatch.setattr(waiting, "_computes_at_once", lambda: exact)
    model = Model()
    clock = DataClock()
    timed = iter(clock.watch(batches(SLOW), model))
    train(clock, timed, 6)
    model.train_function = object()
    clock.begin_step()
    time.sleep(100 * SLOW)
    next(timed)
    train(clock, timed, 7)

    waited = clock.take_seconds()
    assert waited is not None
    assert 12 * SLOW <= waited < 100 * SLOW


def test_what_is_done_between_two_steps_is_no_waiting() -> None:
    clock = DataClock()
    timed = iter(clock.watch(batches(0.0), Model()))
    train(clock, timed, 1)
    clock.take_seconds()
    time.sleep(10 * SLOW)
    train(clock, timed, 1)

    waited = clock.take_seconds()
    assert waited is not None
    assert waited < 10 * SLOW


def test_batches_of_another_kind_are_left_alone() -> None:
    clock = DataClock()
    numbers = [1, 2]

    assert clock.watch(numbers, Model()) is numbers
    assert clock.take_seconds() is None


def test_one_step_in_seven_stands_for_the_others_where_a_device_works_ahead(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(waiting, "_computes_at_once", lambda: False)
    clock, waits = DataClock(), []
    clock.synchronise = lambda: waits.append("synchronised")
    timed = iter(clock.watch(batches(SLOW), Model()))
    train(clock, timed, 14)

    waited = clock.take_seconds()
    assert waited is not None
    assert waited >= 14 * SLOW
    assert len(waits) == 2
