"""What a typed value is: what Hydra's override parser makes of its text.

Written values must come back as they were (round trip), and two texts are one value
exactly when the parser gives equal plain data for both, where a boolean is no number
and 1 is 1.0. Grammar: https://hydra.cc/docs/advanced/override_grammar/basic/
"""

import math
from typing import Any

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf

from experiments.config.reading.values import read_value, same_value, write_value
from experiments.config.search.space import parse_space

FEW = settings(max_examples=80, derandomize=True, deadline=None, database=None)
NUMBERS = st.integers(-(10**12), 10**12) | st.floats()
TEXTS = st.text(max_size=12) | st.sampled_from(
    ["true", "NULL", "1e3", "-inf", "nan", "it's", "a\\", "\\'", "a,b", "[1]", "${a}"]
)
SCALARS = st.none() | st.booleans() | NUMBERS | TEXTS
KEYS = st.from_regex(r"[a-z_]{1,6}", fullmatch=True).filter(
    lambda key: key not in ("true", "false", "null", "nan", "inf")
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=3)
    ),
    max_leaves=6,
)


def parse(text: str) -> Any:
    """Returns what Hydra's own parser makes of `key=<text>`."""
    (override,) = OverridesParser.create().parse_overrides([f"key={text}"])
    assert not override.is_sweep_override(), text
    return override.value()


def fingerprint(value: Any) -> Any:
    """Returns something that is equal for equal values of equal types only."""
    if isinstance(value, dict):
        return {key: fingerprint(item) for key, item in value.items()}
    if isinstance(value, list):
        return [fingerprint(item) for item in value]
    return type(value).__name__, repr(value)


@FEW
@given(value=VALUES)
def test_a_written_value_is_read_as_it_was(value: Any) -> None:
    assert fingerprint(parse(write_value(value))) == fingerprint(value)
    assert fingerprint(read_value(write_value(value))) == fingerprint(value)


@FEW
@given(value=VALUES, other=VALUES)
def test_values_are_the_same_when_what_is_written_is(value: Any, other: Any) -> None:
    assert same_value(value, value)
    assert same_value(value, other) == same_value(other, value)
    if fingerprint(value) == fingerprint(other):
        assert same_value(value, other)
    elif not _holds_numbers(value):  # 1 is 1.0, and 0.0 is -0.0
        assert not same_value(value, other)


def _holds_numbers(value: Any) -> bool:
    if isinstance(value, dict | list):
        items = value.values() if isinstance(value, dict) else value
        return any(map(_holds_numbers, items))
    return isinstance(value, int | float) and not isinstance(value, bool)


@FEW
@given(number=st.integers(-(2**53), 2**53))
def test_a_number_is_the_same_as_an_integer_and_as_a_float(number: int) -> None:
    assert same_value(parse(f"{number}"), parse(f"{number}.0"))
    assert not same_value(parse(f"{number}"), parse(f"'{number}'"))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("true", "TRUE", True),
        ("null", "Null", True),
        ("[1, 2]", "[1,2]", True),
        ("[1,2]", "[2,1]", False),
        ("'abc'", '"abc"', True),
        ("abc", "'abc'", True),
        ("1e-3", "0.001", True),
        ("1", "1.0", True),
        ("1", "true", False),
        ("0", "false", False),
        ("1", "'1'", False),
        ("null", "'null'", False),
        ("null", "''", False),
        ("{a:1,b:[x]}", "{b: ['x'], a: 1.0}", True),
        ("[true]", "[1]", False),
    ],
)
def test_texts_are_compared_by_what_they_mean(one: str, other: str, same: bool) -> None:
    assert same_value(parse(one), parse(other)) == same


@FEW
@given(values=st.lists(VALUES, min_size=2, max_size=5))
def test_a_search_gives_each_trial_a_value_that_was_typed(values: list[Any]) -> None:
    """Choices, as typed, come out of the space's overrides as they went in."""
    parser = OverridesParser.create().parse_overrides
    typed = parser([f"key={','.join(map(write_value, values))}"])
    (parameter,) = parse_space({}, {}, typed, parser).parameters
    received = [
        parse(parameter.format(choice).partition("=")[2])
        for choice in parameter.choices
    ]
    for value in values:
        assert any(same_value(value, one) for one in received)
    for one in received:
        assert sum(same_value(one, other) for other in received) == 1


@FEW
@given(
    value=VALUES.filter(lambda value: "${" not in repr(value)),
    other=st.sampled_from(["other", 0.5, None]),
)
def test_the_config_as_it_is_lies_in_a_space_that_holds_its_value(
    value: Any, other: Any
) -> None:
    parser = OverridesParser.create().parse_overrides
    typed = parser([f"key={write_value(other)},{write_value(value)}"])
    space = parse_space({}, {}, typed, parser)
    config = OmegaConf.create({"key": value})
    point = space.current(config, {})
    assert point is not None
    (override,) = space.as_overrides(point)
    meant = parse(override.partition("=")[2])
    assert same_value(meant, value)
    assert isinstance(value, bool) == isinstance(meant, bool)
    if isinstance(value, float) and math.isfinite(value):
        assert meant == value
