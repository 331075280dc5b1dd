"""Whether plain data has the form that a type describes; what was read is no more."""

import reprlib
import types
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import cache
from pathlib import PurePosixPath
from typing import (
    Annotated,
    Any,
    Literal,
    NotRequired,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

_BITS = 63  # of the integers that files, stores and arrays can hold
_WORDS = {
    bool: "true or false",
    int: "an integer of 64 bits",
    float: "a number",
    str: "a text",
    types.NoneType: "null",
}


class ShapeError(ValueError):
    """Data has another form; the message says where, what is accepted and received."""


@dataclass(frozen=True)
class Rule:
    """A condition on a value of the right type, for `Annotated`.

    Attributes:
        accepts: Tells whether a value fulfils it.
        text: What is accepted, in words.
    """

    accepts: Callable[[Any], bool]
    text: str


def is_relative(text: str) -> bool:
    """Tells whether a text is a path that stays below where it starts."""
    path = PurePosixPath(text)
    parts = path.parts
    return bool(parts) and "\0" not in text and str(path) == text and _stays(path)


def _stays(path: PurePosixPath) -> bool:
    return not path.is_absolute() and ".." not in path.parts


Count = Annotated[int, Rule(lambda number: number >= 0, "an integer, 0 or more")]
FileName = Annotated[
    str,
    Rule(
        lambda text: is_relative(text) and "/" not in text,
        "the name of a file in the same folder",
    ),
]
RelativePath = Annotated[str, Rule(is_relative, "a relative path without `..`")]


def conform(value: object, shape: Any, name: str = "") -> Any:
    """Returns `value` as `shape` describes it: dataclasses are made, tuples too.

    Args:
        value: Plain data: dicts, lists and scalars.
        shape: A scalar type, `list[T]`, `Sequence[T]`, `tuple[T, ...]`, `dict[str, T]`,
            `Mapping[str, T]`, `Literal`, a dataclass, a `TypedDict`, a union of these
            or one of them `Annotated` with `Rule`s. A dataclass has no further keys; a
            `TypedDict` may, of a later release.
        name: Where the value stands, for the messages.

    Raises:
        ShapeError: It has another form.
    """
    if shape is Any:
        return value
    if shape is None:
        shape = types.NoneType
    if shape in _WORDS:
        return _conform_scalar(value, shape, name)
    if is_dataclass(shape):
        return _conform_dataclass(value, shape, name)
    if hasattr(shape, "__required_keys__"):
        return _conform_keys(value, shape, name)
    return _CONTAINERS[get_origin(shape)](value, shape, name)


def _conform_scalar(value: object, shape: type, name: str) -> Any:
    # A bool is no number here, and an integer is one that counts as a float too.
    if type(value) is int and shape in (int, float):
        if value.bit_length() <= _BITS:
            return shape(value)
    elif type(value) is shape:
        return value
    raise _refusal(value, _WORDS[shape], name)


def _conform_union(value: object, shape: Any, name: str) -> Any:
    options = get_args(shape)
    if value is None and types.NoneType in options:
        return None
    others = [option for option in options if option is not types.NoneType]
    if len(others) == 1:
        return conform(value, others[0], name)
    # The type itself first: 3 is an integer where it may be a float as well.
    others.sort(key=lambda option: option is not type(value))
    for option in others:
        with suppress(ShapeError):
            return conform(value, option, name)
    raise _refusal(value, _describe(shape), name)


def _conform_literal(value: object, shape: Any, name: str) -> Any:
    if any(
        type(value) is type(option) and value == option for option in get_args(shape)
    ):
        return value
    raise _refusal(value, _describe(shape), name)


def _conform_rule(value: object, shape: Any, name: str) -> Any:
    inner, *rules = get_args(shape)
    result = conform(value, inner, name)
    for rule in rules:
        if isinstance(rule, Rule) and not rule.accepts(result):
            raise _refusal(value, rule.text, name)
    return result


def _conform_items(value: object, shape: Any, name: str) -> Any:
    if not isinstance(value, list):
        raise _refusal(value, "a list", name)
    item, *_ = get_args(shape)
    found = [conform(part, item, f"{name}[{i}]") for i, part in enumerate(value)]
    return found if get_origin(shape) is list else tuple(found)


def _conform_values(value: object, shape: Any, name: str) -> Any:
    if not isinstance(value, dict):
        raise _refusal(value, "a mapping", name)
    _, item = get_args(shape)
    return {key: conform(part, item, _join(name, key)) for key, part in value.items()}


def _conform_keys(value: object, shape: Any, name: str) -> Any:
    """Checks a mapping whose keys a `TypedDict` lists."""
    if not isinstance(value, dict):
        raise _refusal(value, "a mapping", name)
    hints = _hints(shape)
    for key in sorted(shape.__required_keys__ - value.keys()):
        raise ShapeError(f"`{_join(name, key)}` is missing")
    return {
        key: conform(part, hints[key], _join(name, key)) if key in hints else part
        for key, part in value.items()
    }


def _conform_dataclass(value: object, shape: Any, name: str) -> Any:
    if not isinstance(value, dict):
        raise _refusal(value, "a mapping", name)
    hints, known = _hints(shape), {field.name: field for field in fields(shape)}
    for key in value:
        if key not in known:
            raise ShapeError(f"`{_join(name, key)}` is unknown")
    for key, field in known.items():
        optional = (field.default, field.default_factory) != (MISSING, MISSING)
        if key not in value and not optional:
            raise ShapeError(f"`{_join(name, key)}` is missing")
    parts = {k: conform(v, hints[k], _join(name, k)) for k, v in value.items()}
    return shape(**parts)


def _conform_optional(value: object, shape: Any, name: str) -> Any:
    return conform(value, get_args(shape)[0], name)


_CONTAINERS: Mapping[Any, Callable[[object, Any, str], Any]] = {
    Union: _conform_union,
    types.UnionType: _conform_union,
    Literal: _conform_literal,
    Annotated: _conform_rule,
    NotRequired: _conform_optional,
    list: _conform_items,
    tuple: _conform_items,
    Sequence: _conform_items,
    dict: _conform_values,
    Mapping: _conform_values,
}


@cache
def _hints(shape: Any) -> dict[str, Any]:
    return get_type_hints(shape, include_extras=True)


def _join(name: str, key: str) -> str:
    return f"{name}.{key}" if name else str(key)


def _describe(shape: Any) -> str:
    if get_origin(shape) is Literal:
        return f"one of {', '.join(map(repr, get_args(shape)))}"
    options = [_WORDS.get(option) for option in get_args(shape)]
    return " or ".join(word for word in options if word) or "of another type"


def _refusal(value: object, accepted: str, name: str) -> ShapeError:
    place = f"`{name}`" if name else "it"
    return ShapeError(f"{place} must be {accepted}. Received: {reprlib.repr(value)}")
