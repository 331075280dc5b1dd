import inspect
from typing import Any

import pytest

from experiments.config.schema.schedule import SCHEDULES
from experiments.errors import ConfigError

OPTIONS = ["constant", "cosine", "polynomial", "step"]
OPTIONS += ["exponential", "cosine_restarts", "tenfold"]


@pytest.mark.parametrize("option", OPTIONS)
def test_each_option_has_a_schema_and_builds_its_schedule(
    option: str, compose: Any
) -> None:
    from experiments.training import schedules

    config = compose(f"schedule={option}").schedule
    schedule_class = getattr(schedules, config._target_.rpartition(".")[2])

    schedule = schedule_class(
        **config.arguments(), peak_lr=0.1, steps_per_epoch=10, epochs=50
    )

    assert type(config) is SCHEDULES[config._target_]
    end_of_warmup = int(config.warmup_epochs * 10)
    assert float(schedule(end_of_warmup)) == pytest.approx(0.1)


def test_one_cycle_has_its_own_warmup(compose: Any) -> None:
    assert compose("schedule=one_cycle").schedule.warmup_epochs == 0
    with pytest.raises(ConfigError, match=r"one_cycle warms up by itself"):
        compose("schedule=one_cycle", "schedule.warmup_epochs=2")


def test_cosines_end_where_the_next_one_begins(compose: Any) -> None:
    config = compose(
        "schedule=cosine_restarts", "schedule.first_epochs=10", "trainer.epochs=70"
    ).schedule
    assert config.ends(70) == [10, 30, 70]
    assert config.ends(71) == [10, 30, 70, 150]


def test_too_many_cosines_are_refused(compose: Any) -> None:
    with pytest.raises(ConfigError, match=r"makes more than 1,000 cosines"):
        compose(
            "schedule=cosine_restarts",
            "schedule.first_epochs=0.001",
            "schedule.length_factor=1",
        )


def test_every_schema_belongs_to_a_schedule() -> None:
    from experiments.training import schedules

    names = {target.rpartition(".")[2] for target in SCHEDULES}
    public = inspect.getmembers(schedules, inspect.isclass)
    own = {name for name, member in public if member.__module__ == schedules.__name__}
    assert names == own - {"ScaledSchedule"}  # which only lowers another one


def test_milestones_replace_even_steps(compose: Any) -> None:
    config = compose(
        "schedule=step", "schedule.milestones=[3,6]", "schedule.every_epochs=null"
    ).schedule

    assert config.milestones == [3.0, 6.0]


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["schedule.milestones=[3]"], "exactly one must be set"),
        (["schedule.every_epochs=null"], "exactly one must be set"),
        (
            ["schedule.milestones=[6,3]", "schedule.every_epochs=null"],
            r"schedule.milestones must increase. Received: \[6.0, 3.0\]",
        ),
        (["schedule.factor=2"], "schedule.factor must be a number > 0 and <= 1"),
    ],
)
def test_bad_steps_are_refused(
    overrides: list[str], message: str, compose: Any
) -> None:
    with pytest.raises(ConfigError, match=message):
        compose("schedule=step", *overrides)
