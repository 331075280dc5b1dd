from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from experiments.jobs import sweep_place
from experiments.jobs.sweep_place import (
    COUNT_VARIABLE,
    SweepPlace,
    find_place,
    forget_places,
    is_first_to_say,
)


class Clock:
    now = 1000.0

    def time(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(sweep_place, "time", clock)
    return clock


def make(folder: Path, number: int, total: int = 4) -> SweepPlace:
    now = sweep_place.time.time()
    return SweepPlace(folder=folder, number=number, total=total, _begin=now)


def run(place: SweepPlace, clock: Clock, seconds: float) -> None:
    with place.running():
        clock.now += seconds


def hydra_job(count: str | None, number: int = 1) -> Any:
    return SimpleNamespace(env_set={COUNT_VARIABLE: count}, num=number)


def test_place_is_counted_from_one(tmp_path: Path) -> None:
    assert str(find_place(hydra_job("4"), tmp_path)) == "job 2 of 4"


@pytest.mark.parametrize("count", ["", None, "many"])
def test_jobs_that_nobody_counted_have_no_place(
    tmp_path: Path, count: str | None
) -> None:
    assert find_place(hydra_job(count), tmp_path) is None


def test_job_outside_of_a_sweep_has_no_place() -> None:
    assert find_place(hydra_job("4"), None) is None


def test_nothing_is_known_before_a_job_knows_anything(tmp_path: Path) -> None:
    assert make(tmp_path, 1).seconds_left(None) is None


def test_first_job_takes_the_others_for_its_like(tmp_path: Path, clock: Clock) -> None:
    place = make(tmp_path, 1)
    with place.running():
        clock.now += 10.0
        # 5 s of this one, and three of 15 s.
        assert place.seconds_left(5.0) == pytest.approx(5.0 + 3 * 15.0)


def test_later_job_knows_from_those_that_ended(tmp_path: Path, clock: Clock) -> None:
    run(make(tmp_path, 1), clock, 20.0)
    run(make(tmp_path, 2), clock, 40.0)

    place = make(tmp_path, 3)
    assert place.seconds_left(None) == pytest.approx(2 * 30.0)  # it and the fourth


def test_job_that_was_finished_before_takes_no_time(
    tmp_path: Path, clock: Clock
) -> None:
    make(tmp_path, 1).skip()
    run(make(tmp_path, 2), clock, 40.0)

    assert make(tmp_path, 3).seconds_left(None) == pytest.approx(2 * 40.0)


def test_jobs_at_a_time_share_what_is_left(tmp_path: Path, clock: Clock) -> None:
    one, two = make(tmp_path, 1, total=8), make(tmp_path, 2, total=8)
    with one.running(), two.running():
        clock.now += 10.0
        assert one.seconds_left(0.0) == pytest.approx(6 * 10.0 / 2)


def test_sweep_that_is_run_again_begins_anew(tmp_path: Path, clock: Clock) -> None:
    run(make(tmp_path, 1), clock, 20.0)
    make(tmp_path, 1).keep_new({"device": "CPU"})

    forget_places(tmp_path)

    assert make(tmp_path, 2).seconds_left(None) is None
    assert make(tmp_path, 1).keep_new({"device": "CPU"}) == {"device": "CPU"}


def test_later_jobs_show_what_differs_from_the_first(tmp_path: Path) -> None:
    rows = {"device": "CPU", "model": "A"}

    assert make(tmp_path, 1).keep_new(rows) == rows
    assert make(tmp_path, 2).keep_new({**rows, "model": "B"}) == {"model": "B"}
    assert make(tmp_path, 3).keep_new({**rows, "model": "C"}) == {"model": "C"}


def test_place_without_a_disk_shows_all_and_tells_nothing(tmp_path: Path) -> None:
    place = make(tmp_path / "absent", 1)

    with place.running():
        assert place.keep_new({"device": "CPU"}) == {"device": "CPU"}
    assert place.seconds_left(None) is None


def test_something_is_said_by_one_job_and_again_when_the_sweep_is_started_anew(
    tmp_path: Path,
) -> None:
    assert is_first_to_say(tmp_path, "use more threads")
    assert not is_first_to_say(tmp_path, "use more threads")
    assert is_first_to_say(tmp_path, "save less often")
    forget_places(tmp_path)
    assert is_first_to_say(tmp_path, "use more threads")
