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


def play(measured: Pace, clock: Clock, *, epoch: int, validation: list[float]) -> None:
    """Trains two steps of a second each, and validates by batches of these seconds."""
    measured.begin_epoch(epoch)
    for step in (1, 2):
        clock.now += 1.0
        measured.end_step(step)
    for batch, seconds in enumerate(validation):
        measured.begin_validation_batch(batch)
        clock.now += seconds
    measured.end_epoch()


def test_validation_counts_for_the_time_left_but_not_for_the_throughput(
    clock: Clock,
) -> None:
    measured = Pace(epochs=4, steps_per_epoch=2, batch_size=8)
    play(measured, clock, epoch=1, validation=[3.0, 3.0, 3.0])
    play(measured, clock, epoch=2, validation=[3.0, 3.0])

    assert measured.images_per_second() == pytest.approx(2 * 8 / 2.0)
    # Two epochs of two steps, each with a validation of 6 s.
    assert measured.seconds_left() == pytest.approx(2 * (2 * 1.0 + 6.0))


@pytest.mark.parametrize("batches", [1, 3])
def test_first_time_left_has_no_compilation(clock: Clock, batches: int) -> None:
    """Neither that of a step nor that of a validation, 100 s each."""
    measured = Pace(epochs=3, steps_per_epoch=2, batch_size=8)
    clock.now = 100.0
    play(measured, clock, epoch=1, validation=[100.0, 1.0, 1.0][:batches])

    rest = batches - 1  # a validation without its first batch, which compiles
    assert measured.seconds_left() == pytest.approx(2 * (2 * 1.0 + rest))


def test_what_follows_an_epoch_counts_for_the_time_left(clock: Clock) -> None:
    measured = Pace(epochs=3, steps_per_epoch=2, batch_size=8)
    play(measured, clock, epoch=1, validation=[])
    clock.now += 5.0  # its state is saved
    play(measured, clock, epoch=2, validation=[])
    clock.now += 5.0
    measured.begin_epoch(3)

    assert measured.seconds_left() == pytest.approx(2 * 1.0 + 5.0)


def test_compilation_of_a_later_phase_does_not_count(clock: Clock) -> None:
    """An epoch takes 4 s: two steps of one, and two batches of its validation."""
    measured = Pace(epochs=4, steps_per_epoch=2, batch_size=8)
    play(measured, clock, epoch=1, validation=[1.0, 1.0, 1.0])
    assert measured.seconds_left() == pytest.approx(3 * 4.0)

    clock.now += 50.0  # the model is built
    measured.compile_anew()
    measured.begin_epoch(2)
    for step, seconds in ((1, 100.0), (2, 1.0)):
        clock.now += seconds
        measured.end_step(step)
    for batch, seconds in enumerate([70.0, 1.0, 1.0]):
        measured.begin_validation_batch(batch)
        clock.now += seconds
    measured.end_epoch()

    assert measured.images_per_second() == pytest.approx(8.0)
    assert measured.seconds_left() == pytest.approx(2 * 4.0)


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
