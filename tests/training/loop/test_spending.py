import threading
import time
from typing import Any

import keras
import pytest
import tensorflow as tf

from experiments.training.loop import spending as spending_module
from experiments.training.loop.fit import fit
from experiments.training.loop.spending import Spending, Spent


class Clock:
    now = 100.0

    def perf_counter(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(spending_module, "time", clock)
    return clock


def test_shares_are_of_the_whole_epoch() -> None:
    spent = Spent(
        seconds=10.0, data=4.0, callbacks={"a": 1.0, "b": 0.5}, saving=2.0, tracking=0.1
    )
    shares = {"data": 0.4, "callbacks": 0.15, "saving": 0.2, "tracking": 0.01}
    assert spent.shares() == pytest.approx(shares)


def test_share_that_is_not_measured_is_not_told() -> None:
    assert "data" not in Spent(seconds=10.0, data=None).shares()


def test_epoch_ends_where_it_is_asked_for(clock: Clock) -> None:
    spending = Spending()
    spending.begin()
    clock.now += 10.0
    spending.add("saving", 2.0)
    spending.add("mine", 1.0)
    spending.add("mine", 1.0)
    first = spending.end_epoch()
    clock.now += 5.0
    spending.add("tracking", 1.0)
    second = spending.end_epoch()

    assert (first.seconds, first.saving, first.callbacks) == (10.0, 2.0, {"mine": 2.0})
    assert (second.seconds, second.saving, second.tracking) == (5.0, 0.0, 1.0)


def test_time_of_another_thread_costs_training_nothing(clock: Clock) -> None:
    spending = Spending()

    def work() -> None:
        clock.now += 3.0

    measured = spending.measure("mine", work)
    measured()
    thread = threading.Thread(target=measured)
    thread.start()
    thread.join()

    assert spending.end_epoch().callbacks == {"mine": 3.0}


class Slow(keras.callbacks.Callback):
    """Takes 3 s at the end of each step, by a clock of the test's own."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self._clock.now += 3.0


class EpochEnd(keras.callbacks.Callback):
    def __init__(self, spending: Spending) -> None:
        super().__init__()
        self.spent: list[Spent] = []
        self._spending = spending

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.spent.append(self._spending.end_epoch())


def test_slow_callback_is_found_by_its_name(
    dense_model: Any, batches: Any, clock: Clock
) -> None:
    spending = Spending()
    ends = EpochEnd(spending)

    fit(
        dense_model(keras.optimizers.SGD(0.1)),
        train_from=batches(4).skip,
        validation=None,
        epochs=2,
        steps_per_epoch=2,
        callbacks={"slow": Slow(clock), "ends": ends},
        spending=spending,
    )

    assert [spent.callbacks["slow"] for spent in ends.spent] == [6.0, 6.0]
    assert [spent.seconds for spent in ends.spent] == [6.0, 6.0]
    assert all(spent.data is not None for spent in ends.spent)


def test_slow_images_are_most_of_an_epoch(dense_model: Any, batches: Any) -> None:
    spending = Spending()
    ends = EpochEnd(spending)

    def slow(step: int) -> Any:
        def wait(images: Any) -> Any:
            time.sleep(0.3)  # an epoch of so small a model takes some milliseconds
            return images

        def make(images: Any, labels: Any) -> Any:
            late = tf.numpy_function(wait, [images], images.dtype)
            return tf.ensure_shape(late, images.shape), labels

        return batches(10).map(make).skip(step)

    fit(
        dense_model(keras.optimizers.SGD(0.1)),
        train_from=slow,
        validation=None,
        epochs=2,
        steps_per_epoch=3,
        callbacks={"ends": ends},
        spending=spending,
    )

    first, second = [spent.data or 0.0 for spent in ends.spent]
    assert first >= 2 * 0.3  # the first step is compiled, and not counted
    assert second >= 3 * 0.3
    assert ends.spent[-1].shares()["data"] > 0.5
