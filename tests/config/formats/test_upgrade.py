"""Keys that a schema got since a config was recorded, and what a job is with them."""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from experiments.config import identity
from experiments.config.formats import upgrade
from experiments.config.formats.upgrade import upgrade_config
from experiments.config.identity import identify
from experiments.config.reading.convert import convert
from experiments.config.reading.fields import Target, component, setting
from experiments.records import FORMAT

NEXT = FORMAT + 1


@dataclass(frozen=True, kw_only=True)
class Part(Target):
    size: int
    depth: int = setting(ge=1, added=NEXT, before=1)
    watched: bool = setting(added=NEXT, before=False, incidental=True)


@dataclass(frozen=True, kw_only=True)
class Group:
    rate: float = setting(ge=0, added=NEXT, before=0.5)


@dataclass(frozen=True, kw_only=True)
class Whole:
    seed: int
    part: Part = component(Part)
    parts: dict[str, Part] = component(Part)
    group: Group
    extra_part: Part = component(
        Part,
        added=NEXT,
        before={"_target_": "a.B", "size": 1, "depth": 1, "watched": True},
    )


OLD = {
    "seed": 0,
    "part": {"_target_": "a.B", "size": 3},
    "parts": {"one": {"_target_": "a.B", "size": 4}, "none": None},
}
FILLED = {
    "seed": 0,
    "part": {"_target_": "a.B", "size": 3, "depth": 1, "watched": False},
    "parts": {
        "one": {"_target_": "a.B", "size": 4, "depth": 1, "watched": False},
        "none": None,
    },
    "group": {"rate": 0.5},
    "extra_part": {"_target_": "a.B", "size": 1, "depth": 1, "watched": True},
}


@pytest.fixture(autouse=True)
def _schema(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upgrade, "RunConfig", Whole)


def make(**changes: Any) -> Any:
    """Returns the config as the release has it that knows the new keys."""
    plain: Any = FILLED | changes
    problems: list[Any] = []
    run = convert(plain, Whole, key="", problems=problems)
    assert not problems
    return run


def test_keys_of_later_formats_are_filled_in() -> None:
    assert upgrade_config(OLD, FORMAT) == FILLED


def test_what_was_recorded_stays() -> None:
    recorded = {**OLD, "group": {"rate": 2.0}}
    assert upgrade_config(recorded, FORMAT)["group"] == {"rate": 2.0}


def test_record_that_should_have_a_key_gets_none() -> None:
    assert upgrade_config(OLD, NEXT) == OLD


@pytest.mark.parametrize("damaged", [None, 3, [], {"part": 3}, {"parts": [1]}])
def test_damaged_record_is_told_by_who_checks_it(damaged: Any) -> None:
    assert (upgrade_config(damaged, FORMAT) or {}) is not None


def essence(run: Any) -> Any:
    return identity._essence(run)


def test_new_keys_with_the_value_of_before_do_not_count() -> None:
    one = {"_target_": "a.B", "size": 4}
    assert essence(make()) == {
        "seed": 0,
        "part": {"_target_": "a.B", "size": 3},
        "parts": {"one": one},
    }


def test_new_key_with_another_value_counts() -> None:
    part = {**FILLED["part"], "depth": 2}  # type: ignore[dict-item]
    assert essence(make(part=part))["part"]["depth"] == 2
    assert essence(make(group={"rate": 0.75}))["group"] == {"rate": 0.75}
    watched = {**FILLED["extra_part"], "watched": False}  # type: ignore[dict-item]
    assert essence(make(extra_part=watched)) == essence(make())


def test_key_without_what_it_meant_before_is_a_mistake() -> None:
    with pytest.raises(TypeError, match="both"):
        setting(added=NEXT)
    with pytest.raises(TypeError, match="both"):
        component(Part, before={})


def test_fields_of_today_are_of_known_formats(compose: Any) -> None:
    def walk(value: Any) -> Iterator[Any]:
        if dataclasses.is_dataclass(value):
            for field in dataclasses.fields(value):
                yield field
                yield from walk(getattr(value, field.name))

    from experiments.config.reading.fields import added_in

    run = compose()
    assert identify(run)
    added = [added for field in walk(run) if (added := added_in(field)) is not None]
    assert all(1 < one.format <= FORMAT for one in added)
