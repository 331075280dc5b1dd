from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import pytest

from experiments.config.reading.convert import convert
from experiments.config.reading.fields import OpenTarget, Target, component, setting
from experiments.errors import Problem


@dataclass(frozen=True, kw_only=True)
class Inner(Target):
    depth: int = setting(ge=1, le=10)
    width: float = setting(gt=0)
    kind: Literal["basic", "bottleneck"] | None
    sizes: list[int] = setting(ge=1, min_length=2)

    def check(self) -> Iterator[Problem]:
        if self.depth == 7:
            yield Problem("depth", "must not be 7.")


@dataclass(frozen=True, kw_only=True)
class Other(OpenTarget):
    pass


@dataclass(frozen=True, kw_only=True)
class Outer:
    model: Target = component(Other, {"a.Inner": Inner})
    parts: dict[str, Target] = component(Other, {"a.Inner": Inner})
    flag: bool
    jit: bool | Literal["auto"]
    name: str | None


INNER = {"_target_": "a.Inner", "depth": 3, "width": 1, "kind": None, "sizes": [1, 2]}
GOOD = {"model": INNER, "parts": {}, "flag": True, "jit": "auto", "name": None}


def find(config: Any) -> tuple[Any, list[str]]:
    problems: list[Problem] = []
    result = convert(config, Outer, key="", problems=problems)
    return result, [str(problem) for problem in problems]


def test_plain_data_becomes_typed_objects() -> None:
    result, problems = find(GOOD)
    assert problems == []
    assert isinstance(result.model, Inner)
    assert result.model.width == 1.0
    assert isinstance(result.model.width, float)
    assert result.model.arguments() == {
        "depth": 3,
        "width": 1.0,
        "kind": None,
        "sizes": [1, 2],
    }


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"depth": "3"},
            "model.depth must be an integer >= 1 and <= 10. Received: '3'.",
        ),
        ({"depth": 11}, "model.depth must be an integer >= 1 and <= 10. Received: 11."),
        ({"depth": True}, "model.depth must be an integer >= 1 and <= 10."),
        ({"depth": 2.0}, "model.depth must be an integer >= 1 and <= 10."),
        ({"width": 0}, "model.width must be a number > 0. Received: 0."),
        ({"width": float("nan")}, "model.width must be a number > 0. Received: nan."),
        (
            {"kind": "basik"},
            "model.kind must be one of basic, bottleneck or null. Received: 'basik'. "
            "Did you mean `basic`?",
        ),
        ({"sizes": [1]}, "model.sizes must be a list of at least 2 items"),
        ({"sizes": [1, 0]}, "model.sizes[1] must be an integer >= 1. Received: 0."),
        ({"dept": 3}, "model.dept is not a key of this configuration. Did you mean"),
        ({"width": "???"}, "model.width is missing. Set it: model.width=..."),
        ({"depth": 7}, "model.depth must not be 7."),
    ],
)
def test_each_wrong_value_is_named_with_what_is_accepted(
    change: dict[str, Any], message: str
) -> None:
    _, problems = find({**GOOD, "model": {**INNER, **change}})
    assert len(problems) == 1
    assert problems[0].startswith(message)


def test_all_problems_come_at_once() -> None:
    wrong = {**INNER, "depth": 0, "width": "wide", "extra_key": 1}
    _, problems = find({"model": wrong, "parts": {}, "flag": 1, "jit": "no"})
    assert [text.split()[0] for text in problems] == [
        "model.extra_key",
        "model.depth",
        "model.width",
        "flag",
        "jit",
        "name",
    ]


def test_unknown_target_is_open_and_hands_its_keys_on() -> None:
    result, problems = find({**GOOD, "model": {"_target_": "my.Net", "size": 4}})
    assert problems == []
    assert result.model.arguments() == {"size": 4}


def test_mapping_of_components_picks_a_schema_for_each_and_drops_nulls() -> None:
    parts = {"one": INNER, "two": None, "three": {"_target_": "my.Thing", "x": 1}}
    result, problems = find({**GOOD, "parts": parts})
    assert problems == []
    assert [type(part) for part in result.parts.values()] == [Inner, Other]
    _, problems = find({**GOOD, "parts": {"one": {**INNER, "depth": 0}}})
    assert problems[0].startswith("parts.one.depth must be an integer")


def test_scalar_in_place_of_a_group_is_refused() -> None:
    _, problems = find({**GOOD, "model": 3})
    assert problems == ["model must be a mapping of keys. Received: 3."]
