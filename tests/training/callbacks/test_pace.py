import pytest

from experiments.training.callbacks import pace
from experiments.training.callbacks.pace import Pace


class Clock:
    now = 0.0

    def perf_counter(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(pace, "time", clock)
    return clock


def test_nothing_is_known_before_the_second_step(clock: Clock) -> None:
    measured = Pace(epochs=2, steps_per_epoch=4, batch_size=8)
    measured.begin_epoch(1)
    assert measured.seconds_left() is None

    clock.now = 30.0
    measured.end_step(1)

    assert measured.seconds_left() is None
    assert measured.images_per_second() is None


def test_compilation_does_not_count(clock: Clock) -> None:
    measured = Pace(epochs=2, steps_per_epoch=4, batch_size=8)
    measured.begin_epoch(1)
    for now, step in ((30.0, 1), (32.0, 2), (34.0, 3)):
        clock.now = now
        measured.end_step(step)

    assert measured.images_per_second() == pytest.approx(8 / 2.0)
    assert measured.seconds_left() == pytest.approx(5 * 2.0)


def test_validation_counts_for_the_time_left_but_not_for_the_throughput(
    clock: Clock,
) -> None:
    measured = Pace(epochs=3, steps_per_epoch=2, batch_size=8)
    measured.begin_epoch(1)
    for now, step in ((10.0, 1), (11.0, 2)):
        clock.now = now
        measured.end_step(step)
    clock.now = 20.0  # 9 s of validation
    measured.begin_epoch(2)
    for now, step in ((21.0, 1), (22.0, 2)):
        clock.now = now
        measured.end_step(step)

    assert measured.images_per_second() == pytest.approx(2 * 8 / 2.0)
    assert measured.seconds_left() == pytest.approx(2 * (22.0 - 10.0) / 3)


def test_steps_may_be_reported_out_of_order(clock: Clock) -> None:
    measured = Pace(epochs=1, steps_per_epoch=4, batch_size=8)
    measured.begin_epoch(1)
    for step in (1, 3, 2):
        clock.now += 1.0
        measured.end_step(step)

    assert measured.step == 3


def test_resumed_run_counts_only_what_it_did_itself(clock: Clock) -> None:
    measured = Pace(epochs=10, steps_per_epoch=2, batch_size=8)
    measured.begin_epoch(9)
    for now, step in ((5.0, 1), (6.0, 2)):
        clock.now = now
        measured.end_step(step)

    assert measured.seconds_left() == pytest.approx(2 * 1.0)
