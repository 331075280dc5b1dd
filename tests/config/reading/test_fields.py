"""Every number of the schema has an end."""

import dataclasses
import math
import typing
from collections.abc import Iterator
from typing import Any

import pytest

from experiments.config.reading.convert import convert
from experiments.config.reading.fields import is_component, is_text, rule_of, setting
from experiments.config.schema.run import RunConfig
from experiments.config.search.schema import SearchConfig
from experiments.errors import Problem


def list_schemas(annotation: Any) -> Iterator[type]:
    """Yields a dataclass and all that its fields may hold."""
    if not dataclasses.is_dataclass(annotation):
        for part in typing.get_args(annotation):
            yield from list_schemas(part)
        return
    yield typing.cast("type", annotation)
    for field in dataclasses.fields(annotation):
        yield from list_schemas(field.type)
        if is_component(field):
            fallback, named = field.metadata["experiments.schemas"]
            for schema in (fallback, *named.values()):
                yield from list_schemas(schema)


def holds_number(annotation: Any) -> bool:
    return annotation in (int, float) or any(
        map(holds_number, typing.get_args(annotation))
    )


NUMBERS = {
    f"{schema.__name__}.{field.name}": field
    for root in (RunConfig, SearchConfig)
    for schema in list_schemas(root)
    for field in dataclasses.fields(schema)
    if holds_number(field.type)
}


def test_the_numbers_of_all_groups_are_found() -> None:
    assert {
        "TrainerConfig.batch_size",
        "SyntheticConfig.images",
        "StepConfig.milestones",
        "CheckpointConfig.keep",
        "SGDConfig.momentum",
        "HyperbandConfig.iterations",
        "SweepConfig.max_jobs",
        "RunConfig.gpu",
    } <= NUMBERS.keys()


@pytest.mark.parametrize("name", NUMBERS)
def test_every_number_has_an_upper_bound_or_a_reason_for_none(name: str) -> None:
    rule = rule_of(NUMBERS[name])
    assert rule.is_bounded_above or rule.unbounded


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_no_number_may_be_infinite_or_none_at_all(name: str, value: float) -> None:
    assert not rule_of(NUMBERS[name]).accepts_number(value)


@dataclasses.dataclass(frozen=True)
class Example:
    count: int | None = setting(ge=1, most=10**6)
    rate: float = setting(gt=0, least=1e-30, most=1e6)
    share: float = setting(ge=0, lt=1, least=1e-6)
    label: dict[str, int | str] = setting(unbounded="labels")
    few: list[int] = setting(ge=0, most=9, max_length=2)


GOOD = {"count": 10**6, "rate": 1e6, "share": 0.0, "label": {"a": 10**400}, "few": [9]}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"count": 10**6 + 1}, "count must be at most 1,000,000. Received: 1000001."),
        ({"count": 0}, "count must be an integer >= 1 or null. Received: 0."),
        ({"rate": 1e-320}, "rate must be at least 1e-30. Received: 1e-320."),
        ({"rate": 10**400}, "rate must be at most 1e+06. Received: 1000"),
        ({"rate": math.inf}, "rate must be a number > 0. Received: inf."),
        ({"rate": math.nan}, "rate must be a number > 0. Received: nan."),
        ({"share": 1e-9}, "share must be at least 1e-06. Received: 1e-09."),
        ({"few": [1, 2, 3]}, "few must have at most 2 items. Received: [1, 2, 3]."),
        ({"few": [1, 10]}, "few[1] must be at most 9. Received: 10."),
        (
            {"count": 10**5000},
            "count must be at most 1,000,000. Received: an integer of thousands of",
        ),
    ],
)
def test_who_exceeds_a_bound_is_told_that_bound(
    changed: dict[str, Any], message: str
) -> None:
    problems: list[Problem] = []
    convert({**GOOD, **changed}, Example, key="", problems=problems)
    assert len(problems) == 1
    assert str(problems[0]).startswith(message)


def test_a_value_on_the_bound_is_taken() -> None:
    problems: list[Problem] = []
    example = convert(GOOD, Example, key="", problems=problems)
    assert problems == []
    assert dataclasses.asdict(example) == GOOD


def test_a_long_value_is_shown_in_part() -> None:
    problems: list[Problem] = []
    convert({**GOOD, "count": "x" * 10_000}, Example, key="", problems=problems)
    assert "... (10,002 characters)" in str(problems[0])
    assert len(str(problems[0])) < 400


@pytest.mark.parametrize(
    ("key", "answer"),
    [
        *(("name", True), ("output_dir", True), ("tracking.uri", True)),
        *(("dataset.path", True), ("callbacks.mine.monitor", True)),
        *(("seed", False), ("gpu", False), ("backend", False), ("tags", False)),
        *(("tags.note", False), ("trainer", False), ("trainer.epochs", False)),
        *(("model", False), ("model.no_such", False), ("callbacks.mine", False)),
        *(("no_such", False), ("name.first", False), ("allowed_targets", False)),
    ],
)
def test_a_key_is_one_of_texts_where_nothing_else_is_accepted(
    key: str, answer: bool
) -> None:
    assert is_text(key, RunConfig) is answer
