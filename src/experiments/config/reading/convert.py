"""Turns plain data into the dataclasses of a schema and lists all that is wrong."""

import dataclasses
import difflib
import types
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, Union, get_args, get_origin

from experiments.config.formats.history import find_name
from experiments.config.reading.fields import (
    NO_RULE,
    Rule,
    is_component,
    list_fields,
    rule_of,
    schema_for,
    value_of_absence,
)
from experiments.errors import ConfigError, Problem

MISSING = "???"
_SHOWN = 200
_WRITTEN = 1000  # no integer beyond is another tool's word for a value
_MOST_NAMES = 30  # that a sentence lists
_WORDS = {bool: "true or false", int: "an integer", float: "a number", str: "a text"}


def convert(
    value: object, annotation: Any, *, key: str, problems: list[Problem]
) -> Any:
    """Returns `value` as `annotation` wants it and appends what is wrong.

    Args:
        value: Plain data: dicts, lists and scalars.
        annotation: A dataclass, scalar type, `list[T]`, `dict[str, T]`, `Literal` or
            a union of these.
        key: Dotted path of the value, for the messages.
        problems: Collects every problem found below `key`.

    Returns:
        The converted value; meaningless when a problem was appended.
    """
    return _convert(value, annotation, NO_RULE, key, problems)


def show_value(value: object) -> str:
    """Returns a value as a config has it, for a message: a long one in part."""
    try:
        text = _spell(value)
    except ValueError:  # Python writes no integers of thousands of digits
        return "an integer of thousands of digits"
    if len(text) <= _SHOWN:
        return text
    return f"{text[:_SHOWN]}... ({len(text):,} characters)"


def _spell(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_spell, value))}]"
    if isinstance(value, Mapping):
        parts = (f"{name!r}: {_spell(part)}" for name, part in value.items())
        return f"{{{', '.join(parts)}}}"
    return repr(value)


def nearest(name: str, accepted: Iterable[str], *, above: str = "") -> str:
    """Returns `Did you mean ...?` for the most similar name; empty without one."""
    found = difflib.get_close_matches(name, list(accepted), n=1, cutoff=0.6)
    return f"Did you mean `{above}{found[0]}`?" if found else ""


def _convert(
    value: object, annotation: Any, rule: Rule, key: str, problems: list[Problem]
) -> Any:
    if isinstance(value, str) and value == MISSING:
        problems.append(Problem(key, "is missing.", f"Set it: {key}=..."))
        return None
    if dataclasses.is_dataclass(annotation):
        return _convert_dataclass(value, annotation, key, problems)  # type: ignore[arg-type]
    if _fits(value, annotation):
        result = _convert_plain(value, annotation, rule, key, problems)
        if result is not _REFUSED:
            return result
    problems.append(_refusal(value, annotation, rule, key))
    return None


_REFUSED = object()


def _convert_plain(
    value: Any, annotation: Any, rule: Rule, key: str, problems: list[Problem]
) -> Any:
    """Returns the value of a fitting type, or `_REFUSED` when it is out of bounds."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | float):
        if not rule.accepts_number(value):
            return _REFUSED
        try:
            return float(value) if _wants_float(annotation) else value
        except OverflowError:  # an integer beyond all floats
            return _REFUSED
    if isinstance(value, list):
        if not rule.accepts_length(len(value)):
            return _REFUSED
        item = _item_type(annotation, list)
        return [
            _convert(v, item, rule, f"{key}[{i}]", problems)
            for i, v in enumerate(value)
        ]
    if isinstance(value, Mapping):
        item = _item_type(annotation, dict)
        return {
            k: _convert(v, item, rule, f"{key}.{k}", problems) for k, v in value.items()
        }
    return value


def _convert_dataclass(
    value: object, schema: type, key: str, problems: list[Problem]
) -> Any:
    if not isinstance(value, Mapping):
        name = key or "the configuration"
        reason = f"must be a mapping of keys. Received: {show_value(value)}."
        problems.append(Problem(name, reason, _hint_at_node(name)))
        return None
    fields = {f.name: f for f in dataclasses.fields(schema)}
    prefix = f"{key}." if key else ""
    unknown = [name for name in value if name not in fields or name == "extra"]
    arguments: dict[str, Any] = {}
    if "extra" in fields:
        arguments["extra"] = {name: value[name] for name in unknown}
        for name in unknown:
            if value[name] == MISSING:
                _convert(MISSING, str, NO_RULE, prefix + name, problems)
    else:
        problems += [unknown_key(prefix + str(name), fields) for name in unknown]
    before = len(problems)
    for name, field in fields.items():
        if name == "extra":
            continue
        part = value.get(name, value_of_absence(field, MISSING))
        arguments[name] = convert_field(part, field, prefix + name, problems)
    if len(problems) > before:
        return None
    try:
        result = schema(**arguments)
    except ConfigError as error:  # there is no such object
        problems += _below(prefix, error.problems)
        return None
    check = getattr(result, "check", None)
    if check is not None:
        problems += _below(prefix, check())
    return result


def _below(prefix: str, problems: Iterable[Problem]) -> list[Problem]:
    return [dataclasses.replace(p, key=prefix + p.key) for p in problems]


def convert_field(
    value: object, field: dataclasses.Field[Any], key: str, problems: list[Problem]
) -> Any:
    """Returns a value as a field of a dataclass wants it, see `convert`."""
    if not is_component(field) or value == MISSING:
        return _convert(value, field.type, rule_of(field), key, problems)
    if get_origin(field.type) is not dict or not isinstance(value, Mapping):
        return _convert(value, schema_for(field, value), NO_RULE, key, problems)
    found = {}
    for name, part in value.items():
        inside = f"{key}.{name}"
        if isinstance(part, Mapping) and "_target_" not in part:
            # Keys of a component that nothing has chosen.
            problems += [unknown_key(f"{inside}.{k}", ()) for k in part]
        elif part is not None:
            schema = schema_for(field, part)
            found[name] = _convert(part, schema, NO_RULE, inside, problems)
    return found


def may_take(key: str, value: object, schema: type) -> bool:
    """Tells whether a value fits a key by itself, or nobody knows what does.

    Args:
        key: Dotted path, see `fields.is_text`.
        value: Plain data.
        schema: The dataclass of the whole config.
    """
    fields = list(list_fields(key, schema))

    def fits(field: dataclasses.Field[Any]) -> bool:
        problems: list[Problem] = []
        convert_field(value, field, key, problems)
        return not problems

    return not fields or any(fits(field) for field in fields)


class UnknownKey(Problem):
    """A key that nothing declares."""


def unknown_key(key: str, accepted: Iterable[str]) -> UnknownKey:
    """Describes a key that does not exist, beside the keys that do."""
    names = sorted(name for name in accepted if name != "extra")
    parent, dot, name = key.rpartition(".")
    hint = nearest(name, names, above=parent + dot)
    hint = hint or f"Accepted: {', '.join(names)}."
    if (now := find_name(key)) is not None:
        hint = f"It is called {now} now."
    return UnknownKey(key, "is not a key of this configuration.", hint)


def _members(annotation: Any) -> tuple[Any, ...]:
    if get_origin(annotation) in (Union, types.UnionType):
        return get_args(annotation)
    return (annotation,)


def _fits(value: object, annotation: Any) -> bool:
    return any(_fits_member(value, member) for member in _members(annotation))


def _fits_member(value: object, member: Any) -> bool:
    if member is Any:
        return True
    if member is None or member is types.NoneType:
        return value is None
    origin = get_origin(member)
    if origin is Literal:
        return any(value == v and type(value) is type(v) for v in get_args(member))
    if origin is list:
        return isinstance(value, list)
    if origin is dict:
        return isinstance(value, Mapping)
    if member in (int, float) and isinstance(value, bool):
        return False
    if member is float:
        return isinstance(value, int | float)
    return isinstance(value, member)


def _wants_float(annotation: Any) -> bool:
    members = _members(annotation)
    return float in members and int not in members


def _item_type(annotation: Any, container: type) -> Any:
    for member in _members(annotation):
        if get_origin(member) is container:
            return get_args(member)[-1]
    return Any


def _refusal(value: object, annotation: Any, rule: Rule, key: str) -> Problem:
    accepted = _describe_union(annotation, rule)
    names = [v for m in _members(annotation) for v in get_args(m) if isinstance(v, str)]
    hint = ""
    # Python writes no integers of thousands of digits.
    if isinstance(value, str) or (isinstance(value, int) and abs(value) <= _WRITTEN):
        is_switch = bool in _members(annotation)
        hint = _hint_at_value(value, names, key, is_switch=is_switch)
    if isinstance(value, list) and value and all(_fits(x, annotation) for x in value):
        each = ",".join(map(str, value))
        several = f"To run each of them: -m {key}={each}"
        told = several if value[1:] else f"Did you mean `{key}={each}`?"
        hint = told if len(each) <= _SHOWN else ""
    if not hint and value in get_args(_item_type(annotation, list)):
        hint = f"Did you mean `'{key}=[{value}]'`?"
    told = rule.describe_excess(value) or _describe_length(value, rule)
    reason = told or f"must be {accepted}"
    return Problem(key, f"{reason}. Received: {show_value(value)}.", hint)


def _hint_at_node(key: str) -> str:
    """Returns what to type for a node that is to be on, off or gone."""
    from experiments.config.synonyms import find_note  # of what is wrong only

    parent, _, name = key.rpartition(".")
    if parent in ("augment", "callbacks"):
        return f"To leave it out: {key}=null"
    return find_note(name)


def _hint_at_value(
    value: str | int, names: Sequence[str], key: str, *, is_switch: bool
) -> str:
    """Returns the value that is meant by another project's word, or a similar one."""
    from experiments.config.synonyms import (  # likewise
        find_note,
        find_switch,
        find_value,
    )

    meant = find_value(key, str(value))
    if meant is None and is_switch:
        meant = {True: "true", False: "false", None: None}[find_switch(str(value))]
    if meant is not None:
        return f"Did you mean `{meant}`?"
    return nearest(str(value), names) or (find_note(key) if "." in key else "")


def _describe_length(value: object, rule: Rule) -> str:
    """Returns how many items a list may have at most, if it has more."""
    most = rule.max_length
    if most is None or not isinstance(value, list) or len(value) <= most:
        return ""
    return f"must have at most {most:,} items"


def list_names(names: Sequence[str], most: int = _MOST_NAMES) -> str:
    """Returns that one of several names is wanted, in short where they are many.

    Args:
        names: All of them.
        most: That are written out.
    """
    if len(names) > most:
        return f"one of {len(names)} names, {names[0]} to {names[-1]}"
    return f"one of {', '.join(names)}"


def _describe(member: Any, rule: Rule) -> str:
    if member is None or member is types.NoneType:
        return "null"
    origin = get_origin(member)
    if origin is Literal:
        names = [str(value) for value in get_args(member)]
        return list_names(names) if len(names) > 1 else names[0]
    if origin is list:
        size = f"{rule.length} " if rule.length is not None else ""
        if rule.min_length is not None:
            size = f"at least {rule.min_length} "
        item = get_args(member)[0]
        each = "" if item is Any else f", each {_describe_union(item, rule)}"
        items = "item" if size.endswith(" 1 ") else "items"
        return f"a list of {size}{items}{each}"
    if origin is dict:
        return "a mapping"
    if dataclasses.is_dataclass(member):
        keys = ", ".join(field.name for field in dataclasses.fields(member))
        return f"a mapping of {keys}"
    words = _WORDS.get(member, str(member))
    bounds = rule.describe_bounds() if member in (int, float) else ""
    return f"{words} {bounds}" if bounds else words


def _describe_union(annotation: Any, rule: Rule) -> str:
    told = [_describe(member, rule) for member in _members(annotation)]
    told.sort(key=lambda member: ", each " in member)  # or what follows is of an item
    return " or ".join(told)
