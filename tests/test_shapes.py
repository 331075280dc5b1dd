import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NotRequired, TypedDict

import pytest

from experiments.shapes import (
    Count,
    FileName,
    RelativePath,
    ShapeError,
    conform,
    is_relative,
)


@dataclass(frozen=True)
class Point:
    x: Count
    y: float | None = None
    names: Sequence[str] = ()


class Keys(TypedDict):
    a: int
    b: NotRequired[Point]


@pytest.mark.parametrize(
    ("value", "shape", "expected"),
    [
        (3, int, 3),
        (3, float, 3.0),
        (math.inf, float, math.inf),
        (True, bool, True),
        (None, None, None),
        (3, str | int | float | bool, 3),
        (True, str | int | float | bool, True),
        (2.5, int | float, 2.5),
        (None, float | None, None),
        ("max", Literal["min", "max"], "max"),
        ([1, 2], list[int], [1, 2]),
        ([1, 2], tuple[int, ...], (1, 2)),
        ({"a": [1]}, Mapping[str, Sequence[int]], {"a": (1,)}),
        ({"x": 1}, Point, Point(1)),
        ({"x": 1, "y": 2, "names": ["a"]}, Point, Point(1, 2.0, ("a",))),
        ({"a": 1, "later": []}, Keys, {"a": 1, "later": []}),
        ({"a": 1, "b": {"x": 0}}, Keys, {"a": 1, "b": Point(0)}),
        ({"a": object}, dict[str, Any], {"a": object}),
    ],
)
def test_value_of_the_form_is_returned(value: Any, shape: Any, expected: Any) -> None:
    found = conform(value, shape)

    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("value", "shape", "message"),
    [
        (True, int, "it must be an integer of 64 bits. Received: True"),
        (2**63, int, "an integer of 64 bits"),
        (10**400, float, "a number"),
        (3.0, int, "an integer"),
        ("3", float, "it must be a number. Received: '3'"),
        (b"a", str, "a text"),
        ([], None, "it must be null"),
        ([], str | int, "a text or an integer of 64 bits"),
        ("", float | None, "it must be a number"),
        (None, float, "a number"),
        ("mean", Literal["min", "max"], "one of 'min', 'max'"),
        (1, Literal[True, "auto"], "one of True, 'auto'"),
        ({}, list[int], "a list"),
        ([1, "a"], list[int], r"`\[1\]` must be an integer"),
        ([], dict[str, int], "a mapping"),
        ({"a": [{}]}, dict[str, list[str]], r"`a\[0\]` must be a text"),
        ({}, Point, "`x` is missing"),
        ({"x": -1}, Point, "`x` must be an integer, 0 or more"),
        ({"x": 1, "z": 1}, Point, "`z` is unknown"),
        ({"x": 1, "names": "ab"}, Point, "`names` must be a list"),
        ([1], Point, "a mapping"),
        ({}, Keys, "`a` is missing"),
        ({"a": 1, "b": {"x": "1"}}, Keys, "`b.x` must be an integer"),
        ("a/b", FileName, "the name of a file in the same folder"),
        ("..", FileName, "the name of a file"),
        ("../a", RelativePath, "a relative path without `..`"),
    ],
)
def test_other_value_is_refused_with_its_place(
    value: Any, shape: Any, message: str
) -> None:
    with pytest.raises(ShapeError, match=message):
        conform(value, shape)


def test_long_value_is_cut_in_the_message() -> None:
    with pytest.raises(ShapeError) as caught:
        conform("x" * 10**6, int)

    assert len(str(caught.value)) < 100


@pytest.mark.parametrize("text", ["a", "a/b", "a b/ä.txt", "...", ".a"])
def test_path_below_is_relative(text: str) -> None:
    assert is_relative(text)


@pytest.mark.parametrize(
    "text", ["", ".", "..", "../a", "a/..", "a/../b", "/a", "//a", "a//b", "./a", "a\0"]
)
def test_other_path_is_not(text: str) -> None:
    assert not is_relative(text)
