from pathlib import Path

import pytest

from experiments.comparison.finding import find_members
from experiments.comparison.member import Member
from experiments.config.kinds.destination import Destination
from experiments.errors import ConfigError, TrackingError
from experiments.jobs.runs.run_names import FoundRun
from tests.comparison.left import ACCURACY, leave, leave_sweep


@pytest.fixture
def place(tmp_path: Path) -> Destination:
    """A run beside a sweep of two and a search of two trials, one of two seeds."""
    leave(tmp_path / "runs" / "alone", 0.9)
    leave_sweep(tmp_path / "sweeps" / "s")
    for number in range(2):
        leave(tmp_path / "sweeps" / "s" / f"job_{number}", 0.5)
    search = tmp_path / "sweeps" / "t"
    leave_sweep(search, "search")
    leave(search / "trial_0", 0.5)
    leave_sweep(search / "trials" / "1", "trial")
    for seed in range(2):
        leave(search / "trials" / "1" / f"seed_{seed}", 0.5)
    return Destination(output_dir=tmp_path, experiment="default", enabled=False)


def names(words: object, place: Destination) -> list[str]:
    members, _ = find_members(words, place, ACCURACY)  # type: ignore[arg-type]
    return [member.name for member in members]


def test_parent_means_all_of_its_runs(place: Destination) -> None:
    assert names("sweeps/s", place) == ["job_0", "job_1"]
    assert names("sweeps/t", place) == ["trial_0", "seed_0", "seed_1"]
    assert names("sweeps/t/trials/1", place) == ["seed_0", "seed_1"]


def test_parent_gives_the_comparison_its_name(place: Destination) -> None:
    assert find_members("sweeps/t", place, ACCURACY)[1] == "the search"
    assert find_members(["alone", "sweeps/t"], place, ACCURACY)[1] is None


def test_last_alone_is_a_sweep_or_search_and_in_a_list_a_run(
    place: Destination,
) -> None:
    assert names("last", place) == ["trial_0", "seed_0", "seed_1"]
    assert names(["last", "best"], place) == ["seed_1", "alone"]


def test_lists_mix_runs_and_parents_and_name_nobody_twice(place: Destination) -> None:
    found = names(["alone", "sweeps/s", "runs/alone", "job_1"], place)
    assert found == ["alone", "job_0", "job_1"]


def test_fewer_than_two_runs_are_refused(place: Destination, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Received: runs/alone, 1 run"):
        names("runs/alone", place)
    leave_sweep(tmp_path / "sweeps" / "empty")
    with pytest.raises(ConfigError, match="Received: sweeps/empty, 0 runs"):
        names("sweeps/empty", place)


def test_what_names_nothing_is_told(place: Destination) -> None:
    with pytest.raises(TrackingError, match="'nobody' names no run"):
        names(["alone", "nobody"], place)


def test_parent_that_only_mlflow_knows_means_the_runs_below_it(
    place: Destination, monkeypatch: pytest.MonkeyPatch
) -> None:
    below = {"a" * 32: ["1" * 32, "2" * 32], "1" * 32: None}
    run = "experiments.comparison.finding"
    monkeypatch.setattr(f"{run}.read_members", lambda name, _: below[name])
    monkeypatch.setattr(
        f"{run}.read_stored_member", lambda name, _: Member(name=name, run_id=name)
    )
    monkeypatch.setattr(
        f"{run}.find_named", lambda name, *_: FoundRun(typed=name, run_id=name)
    )
    assert names("a" * 32, place) == below["a" * 32]
    assert names(["1" * 32, "a" * 32], place) == below["a" * 32]


def test_file_of_a_model_is_told_to_be_no_run(place: Destination) -> None:
    with pytest.raises(ConfigError, match=r"digits.keras, which has no record"):
        names(["digits.keras", "alone"], place)
