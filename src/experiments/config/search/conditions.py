"""`hydra.sweeper.when`: with which values of another key a parameter is searched."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from experiments.config.reading.convert import nearest
from experiments.config.reading.values import as_value, same_value, write_value
from experiments.config.search.parameter import (
    Condition,
    Parameter,
    parse_parameter,
    settle_value,
)
from experiments.errors import Problem

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override

_WHEN = "hydra.sweeper.when"


@dataclass(frozen=True)
class Clause:
    """One entry, as parsed.

    Attributes:
        key: Of the parameter.
        parent: The other key.
        values: Of the other key, with which the parameter is searched.
        text: As it was written.
    """

    key: str
    parent: str
    values: tuple[Any, ...]
    text: str


@dataclass(frozen=True)
class Surroundings:
    """What conditions are about.

    Attributes:
        found: Key -> parameter; changed by `apply_clauses`.
        declared: Key -> parameter of a preset, those included that typed values
            replaced.
        fixed: Key -> typed override of a single value.
    """

    found: dict[str, Parameter]
    declared: Mapping[str, Parameter]
    fixed: Mapping[str, "Override"]


def parse_clauses(
    when: Mapping[str, str], parse: Any, problems: list[Problem]
) -> list[Clause]:
    """Returns the entries of `hydra.sweeper.when` that can be read.

    Args:
        when: Key -> condition such as `optimizer=sgd,rmsprop`.
        parse: Parses a list of texts into overrides.
        problems: Takes what is wrong.
    """
    clauses = [
        _parse_clause(key, str(text), parse, problems) for key, text in when.items()
    ]
    return [clause for clause in clauses if clause is not None]


def apply_clauses(
    clauses: Sequence[Clause], around: Surroundings, problems: list[Problem]
) -> tuple[str, ...]:
    """Gives parameters their conditions; takes out those that are never searched.

    Args:
        clauses: In any order.
        around: Its `found` is changed.
        problems: Takes what is wrong.

    Returns:
        Why a parameter was taken out, a sentence each.
    """
    left_out: dict[str, str] = {}
    for clause in _parents_first(clauses):
        key, parent = clause.key, clause.parent
        if key not in around.found and key not in around.fixed:
            hint = nearest(key, around.found)
            reason = "names no parameter of the search."
            problems.append(Problem(f"{_WHEN}.{key}", reason, hint))
            continue
        if parent in left_out:
            never: str | None = f"{parent} is not searched"
        elif (problem := _check_values(clause, around)) is not None:
            problems.append(problem)
            continue
        elif parent in around.found:
            never = _depend(clause, around, problems)
        else:
            never = _settle(clause, around)
        if never is not None and around.found.pop(key, None) is not None:
            reason = f"it is with {clause.text} only, and {never}."
            left_out[key] = f"{key} is not searched: {reason}"
    return tuple(left_out.values())


def _parse_clause(
    key: str, text: str, parse: Any, problems: list[Problem]
) -> Clause | None:
    from hydra.errors import HydraException

    parent, sign, words = (part.strip() for part in text.partition("="))
    try:
        (override,) = parse([f"{parent}={words}"]) if sign and parent else (None,)
    except HydraException:
        override = None
    if override is None or override.is_interval_sweep() or override.is_delete():
        reason = f"must be a condition such as optimizer=sgd. Received: {text!r}."
        problems.append(Problem(f"{_WHEN}.{key}", reason))
        return None
    if override.is_sweep_override():
        values = [as_value(element) for element in override.sweep_iterator()]
    else:
        values = [override.value()]
    return Clause(key, parent, tuple(settle_value(parent, v) for v in values), text)


def _parents_first(clauses: Sequence[Clause]) -> Iterator[Clause]:
    """Yields a clause after that of its parent; those in a circle as they come."""
    left = {clause.key: clause for clause in clauses}
    while left:
        ready = [key for key, clause in left.items() if clause.parent not in left]
        for key in ready or list(left):
            yield left.pop(key)


def _check_values(clause: Clause, around: Surroundings) -> Problem | None:
    """Returns what the clause names and the search does not have."""
    where, parent = f"{_WHEN}.{clause.key}", clause.parent
    searched, fixed = around.found.get(parent), around.fixed.get(parent)
    if fixed is None and (searched is None or not searched.is_discrete):
        others = [p.key for p in around.found.values() if p.is_discrete]
        accepted = ", ".join(k for k in others if k != clause.key) or "there is none"
        reason = (
            "must be a condition on a parameter with choices or whole numbers: "
            f"{accepted}."
        )
        hint = nearest(parent, others)
        return Problem(where, f"{reason} Received: {clause.text!r}.", hint)
    possible = [
        parameter
        for parameter in (searched, around.declared.get(parent))
        if parameter is not None and parameter.is_discrete
    ]
    names = [name for parameter in possible for name in parameter.list_choices()]
    value_now = None if fixed is None else settle_value(parent, fixed.value())
    names += [] if fixed is None else [write_value(value_now)]
    for value in clause.values:
        known = any(parameter.find(value) is not None for parameter in possible)
        if not known and not (fixed and same_value(value_now, value)):
            accepted = ", ".join(dict.fromkeys(names))
            received = write_value(value)
            reason = f"must name values of {parent}: {accepted}. Received: {received}."
            return Problem(where, reason, nearest(received, names))
    return None


def _settle(clause: Clause, around: Surroundings) -> str | None:
    """Returns why the parameter is never searched beside a parent of one value."""
    value = settle_value(clause.parent, around.fixed[clause.parent].value())
    if any(same_value(value, wanted) for wanted in clause.values):
        return None
    return f"{clause.parent} is {write_value(value)}"


def _depend(
    clause: Clause, around: Surroundings, problems: list[Problem]
) -> str | None:
    """Makes the parameter depend on a searched parent, or returns why it never is."""
    parent = around.found[clause.parent]
    values = [v for value in clause.values if (v := parent.find(value)) is not None]
    if not values:
        return f"{clause.parent} is one of {', '.join(parent.list_choices())}"
    own = around.found.get(clause.key)
    if own is None:
        # Typed with one value: that is set where it would be searched.
        own = parse_parameter(around.fixed[clause.key], problems)
    if own is not None:
        condition = Condition(clause.parent, tuple(values))
        around.found[clause.key] = replace(own, when=condition)
    return None
