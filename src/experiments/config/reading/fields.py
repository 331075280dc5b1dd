"""How a dataclass field states what it accepts, beyond its type."""

import dataclasses
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, get_args, get_origin

_RULE = "experiments.rule"
_SCHEMAS = "experiments.schemas"
_INCIDENTAL = "experiments.incidental"
_PATH = "experiments.path"
_STANDS_FOR = "experiments.stands_for"
_ADDED = "experiments.added"
_ABSENT = "experiments.absent"
_LISTS = (str | list[str] | None, list[str] | None, list[str])
_TEXTS = (str, str | None, str | list[str] | None)
_REQUIRED = object()  # for a key that was always there


@dataclass(frozen=True, kw_only=True)
class Rule:
    """Bounds of a number (of each number, in a list) and lengths of a list.

    What a value means sets `ge` to `lt`. Beyond `least` and `most` it would still mean
    something, and nobody can mean it: they are told only to who exceeds them.
    """

    ge: float | None = None
    gt: float | None = None
    le: float | None = None
    lt: float | None = None
    least: float | None = None
    most: float | None = None
    length: int | None = None
    min_length: int | None = None
    max_length: int | None = None
    unbounded: str = ""

    @property
    def is_bounded_above(self) -> bool:
        """Whether there is a largest number."""
        return any(bound is not None for bound in (self.le, self.lt, self.most))

    def accepts_number(self, value: float) -> bool:
        """Tells whether `value` is finite and lies in the bounds."""
        return (
            (self.ge is None or value >= self.ge)
            and (self.gt is None or value > self.gt)
            and (self.le is None or value <= self.le)
            and (self.lt is None or value < self.lt)
            and (self.least is None or value == 0 or abs(value) >= self.least)
            and (self.most is None or value <= self.most)
            and (isinstance(value, int) or math.isfinite(value))
        )

    def accepts_length(self, length: int) -> bool:
        """Tells whether a list of `length` items is accepted."""
        return (
            (self.length is None or length == self.length)
            and (self.min_length is None or length >= self.min_length)
            and (self.max_length is None or length <= self.max_length)
        )

    def describe_bounds(self) -> str:
        """Returns the bounds in words, such as `>= 0 and < 1`; empty without any."""
        signs = ((">=", self.ge), (">", self.gt), ("<=", self.le), ("<", self.lt))
        return " and ".join(
            f"{sign} {write_bound(bound)}" for sign, bound in signs if bound is not None
        )

    def describe_excess(self, value: object) -> str:
        """Returns what a value beyond `least` or `most` has to be; else nothing."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return ""
        if self.most is not None and value > self.most and value != math.inf:
            return f"must be at most {write_bound(self.most)}"
        if self.least is not None and 0 < abs(value) < self.least:
            return f"must be at least {write_bound(self.least)}"
        return ""


def write_bound(bound: float) -> str:
    """Returns a bound as people write it: `1024`, `1,000,000`, `1e-30`."""
    if not isinstance(bound, int):
        return f"{bound:g}"
    return str(bound) if bound < 10_000 else f"{bound:,}"


NO_RULE = Rule()


@dataclass(frozen=True)
class Added:
    """Since when there is a key.

    Attributes:
        format: Of records, the first one that has it.
        before: What a record without it means, plain data.
    """

    format: int
    before: Any


def _note_added(added: int | None, before: object) -> dict[str, Any]:
    if (added is None) != (before is _REQUIRED):
        raise TypeError("A key that was added needs both `added` and `before`.")
    return {} if added is None else {_ADDED: Added(added, before)}


def setting(
    *,
    ge: float | None = None,
    gt: float | None = None,
    le: float | None = None,
    lt: float | None = None,
    least: float | None = None,
    most: float | None = None,
    length: int | None = None,
    min_length: int | None = None,
    max_length: int | None = None,
    unbounded: str = "",
    incidental: bool | tuple[str, ...] = False,
    path: Literal["inputs"] | bool | Callable[[str], bool] = False,
    stands_for: Callable[[str], str | None] | None = None,
    added: int | None = None,
    before: object = _REQUIRED,
    absent: object = _REQUIRED,
) -> Any:
    """Declares a required key with bounds; its value lives in YAML, never here.

    Args:
        ge: Smallest value.
        gt: Largest value that is too small.
        le: Largest value.
        lt: Smallest value that is too large.
        least: Smallest value but 0 that anybody can mean, by its magnitude.
        most: Largest value that anybody can mean.
        length: Items of a list.
        min_length: Fewest items of a list.
        max_length: Most items of a list.
        unbounded: Why there is no largest number.
        incidental: The result does not depend on it, such as on a path or a display:
            a job with another value is the same job, see `identity`. Or the values
            that leave the result alone, where others change it.
        path: It names a file or folder: the checked config holds it absolute, see
            `paths`. Or what tells which of its values do, or `inputs` where it is
            what somebody wants to have looked at: one or several, `-` among them.
        stands_for: Returns what a job is the same job by, in place of the text: a hash
            of what the file that it names says; `None` where that is as good as none.
        added: Format of records that has the key first; `None` for one that was always
            there.
        before: What older records mean by its absence: the value with which everything
            is as it was before there was the key. A job that has it is the same job.
        absent: What it means by its absence in an item of a list, which no file of
            `conf/` can fill up.
    """
    rule = Rule(
        ge=ge,
        gt=gt,
        le=le,
        lt=lt,
        least=least,
        most=most,
        length=length,
        min_length=min_length,
        max_length=max_length,
        unbounded=unbounded,
    )
    metadata = {
        _RULE: rule,
        _INCIDENTAL: incidental,
        _PATH: path,
        _STANDS_FOR: stands_for,
        **({} if absent is _REQUIRED else {_ABSENT: absent}),
    }
    return dataclasses.field(metadata=metadata | _note_added(added, before))


def component(
    fallback: type,
    schemas: Mapping[str, type] | None = None,
    *,
    added: int | None = None,
    before: object = _REQUIRED,
) -> Any:
    """Declares a group whose `_target_` decides its schema.

    A field annotated `dict[str, ...]` is a mapping of names to such nodes or null.

    Args:
        fallback: Schema of every target that `schemas` does not name, a user's own.
        schemas: Dotted path of a target -> its dataclass.
        added: Format of records that has the group first, see `setting`.
        before: The node that older records mean, see `setting`.
    """
    metadata = {_SCHEMAS: (fallback, dict(schemas or {}))}
    return dataclasses.field(metadata=metadata | _note_added(added, before))


def rule_of(field: dataclasses.Field[Any]) -> Rule:
    """Returns the bounds a field was declared with."""
    rule: Rule = field.metadata.get(_RULE, NO_RULE)
    return rule


def is_incidental(field: dataclasses.Field[Any], value: object = None) -> bool:
    """Tells whether the result of a job does not depend on a field, or on its value."""
    declared = field.metadata.get(_INCIDENTAL, False)
    return value in declared if isinstance(declared, tuple) else bool(declared)


def added_in(field: dataclasses.Field[Any]) -> Added | None:
    """Returns since when there is a field; `None` when it was always there."""
    added: Added | None = field.metadata.get(_ADDED)
    return added


def value_of_absence(field: dataclasses.Field[Any], otherwise: object) -> object:
    """Returns what a field means by its absence; `otherwise` where it must be there."""
    return field.metadata.get(_ABSENT, otherwise)


def is_path(field: dataclasses.Field[Any], value: str | None = None) -> bool:
    """Tells whether a field, or a value of it, names a file or folder.

    Args:
        field: Of a dataclass.
        value: `None` asks whether any value does.
    """
    declared = field.metadata.get(_PATH, False)
    if callable(declared) and value is not None:
        return bool(declared(value))
    return bool(declared)


def names_inputs(field: dataclasses.Field[Any]) -> bool:
    """Tells whether a field names what somebody wants to have looked at."""
    return field.metadata.get(_PATH) == "inputs"


def what_it_stands_for(field: dataclasses.Field[Any], value: Any) -> Any:
    """Returns what the value of a field means for the result of a job."""
    find = field.metadata.get(_STANDS_FOR)
    return find(value) if find is not None and isinstance(value, str) else value


def find_incidental(schema: Any, path: str) -> bool:
    """Tells whether a key below a dataclass is declared incidental, or what holds it.

    Args:
        schema: The dataclass.
        path: Dotted path; what lies in a component is taken to count.
    """
    for name in path.split("."):
        if not dataclasses.is_dataclass(schema):
            return False
        field = {f.name: f for f in dataclasses.fields(schema)}.get(name)
        if field is None or is_incidental(field):
            return field is not None
        schema = field.type
    return False


def is_component(field: dataclasses.Field[Any]) -> bool:
    """Tells whether the schema of a field depends on a `_target_`."""
    return _SCHEMAS in field.metadata


def schema_for(field: dataclasses.Field[Any], node: object) -> Any:
    """Returns the dataclass for a node of a `component` field, by its `_target_`."""
    fallback, schemas = field.metadata[_SCHEMAS]
    target = node.get("_target_") if isinstance(node, Mapping) else None
    return schemas.get(target, fallback) if isinstance(target, str) else fallback


def schemas_of(field: dataclasses.Field[Any]) -> list[type]:
    """Returns every dataclass that a node of a `component` field may have."""
    fallback, schemas = field.metadata[_SCHEMAS]
    return [fallback, *schemas.values()]


def is_text(key: str, schema: type, *, in_list: bool = False) -> bool:
    """Tells whether a key takes only texts, or null, wherever it is declared.

    Args:
        key: Dotted path. What each choice of a group that has the key takes counts; a
            component of one's own is taken to mean the same by it.
        schema: The dataclass of the whole config.
        in_list: Whether it takes lists of texts too.
    """
    declared = [field.type for field in list_fields(key, schema)]
    accepted = _LISTS if in_list else _TEXTS
    return bool(declared) and all(t in accepted for t in declared)


def takes_text(key: str, schema: type) -> bool:
    """Tells whether some text fits a key, or nobody knows what does.

    Args:
        key: Dotted path, see `is_text`.
        schema: The dataclass of the whole config.
    """
    declared = [field.type for field in list_fields(key, schema)]
    return not declared or any(t is str or str in get_args(t) for t in declared)


def is_declared(key: str, schema: type) -> bool:
    """Tells whether a key, or a group, is told in a dataclass what it takes.

    Args:
        key: Dotted path, see `is_text`.
        schema: The dataclass of the whole config.
    """
    name, _, rest = key.partition(".")
    field = {f.name: f for f in dataclasses.fields(schema)}.get(name)
    if field is None:
        return False
    labels = get_origin(field.type) is dict and not is_component(field)
    return not rest or labels or any(True for _ in list_fields(key, schema))


def list_fields(key: str, schema: Any) -> Iterator[dataclasses.Field[Any]]:
    """Yields the fields that a key may be, one of each dataclass that may hold it.

    Args:
        key: Dotted path, see `is_text`.
        schema: The dataclass of the whole config.
    """
    name, _, rest = key.partition(".")
    field = {f.name: f for f in dataclasses.fields(schema)}.get(name)
    if field is None:
        return
    if not is_component(field):
        if dataclasses.is_dataclass(field.type) and rest:
            yield from list_fields(rest, field.type)
        elif not rest:
            yield field
        return
    if get_origin(field.type) is dict:  # of names and components
        rest = rest.partition(".")[2]
    for choice in schemas_of(field) if rest else ():
        yield from list_fields(rest, choice)


@dataclass(frozen=True, kw_only=True)
class Target:
    """A config node that names what to build and its keyword arguments.

    Attributes:
        _target_: Dotted path of a class or function under the allow-list.
    """

    _target_: str = setting()

    def arguments(self) -> dict[str, Any]:
        """Returns the keyword arguments, those of an open schema's `extra` included."""
        values = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        del values["_target_"]
        extra = values.pop("extra", {})
        return {**values, **extra}


@dataclass(frozen=True, kw_only=True)
class OpenTarget(Target):
    """A target that also takes keys which only its YAML file declares.

    Attributes:
        extra: Those keys; `arguments()` hands them on.
    """

    # Which of those keys are paths, like fields of `setting(path=True)`.
    open_paths: ClassVar[tuple[str, ...]] = ()

    extra: dict[str, Any]
