"""A key that is searched, from its values in Hydra's override grammar."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from experiments.config.kinds.paths import locate, may_be_path
from experiments.config.reading.fields import is_component
from experiments.config.reading.values import (
    as_value,
    is_number,
    read_value,
    same_value,
    write_value,
)
from experiments.config.schema.run import RunConfig
from experiments.errors import Problem

if TYPE_CHECKING:
    from hydra.core.override_parser.types import IntervalSweep, Override

Scalar = str | int | float | bool

_MOST_NUMBERS = 10  # in a message
_GROUPS = {field.name for field in dataclasses.fields(RunConfig) if is_component(field)}


@dataclass(frozen=True)
class Condition:
    """When a parameter is searched at all: another one has one of these values."""

    key: str
    values: tuple[Scalar, ...]


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One key that is searched.

    Attributes:
        key: Dotted path of a value, or a group.
        prefix: `+` or `++` where it was typed so.
        choices: The values, as numbers where all of them are and else as texts of the
            override grammar; empty for an interval.
        low: Smallest value of an interval.
        high: Largest value, included.
        is_int: Whether an interval holds whole numbers only.
        step: Distance between its values; `None` for any.
        log: Whether orders of magnitude are equally likely.
        when: When it is searched; `None` for always.
    """

    key: str
    prefix: str = ""
    choices: tuple[Scalar, ...] = ()
    low: float = 0.0
    high: float = 0.0
    is_int: bool = False
    step: float | None = None
    log: bool = False
    when: Condition | None = None

    def ends(self) -> tuple[Scalar, ...]:
        """Returns the choices, or both ends of the interval."""
        return self.choices or (self._number(self.low), self._number(self.high))

    def find(self, value: object) -> Scalar | None:
        """Returns the value of this parameter that equals `value`, if there is one."""
        if self.choices:
            wanted = settle_value(self.key, value)
            return next((c for c in self.choices if same_value(_read(c), wanted)), None)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        steps = 0.0 if self.step is None else (value - self.low) / self.step
        fits = self.low <= value <= self.high and math.isclose(
            steps, round(steps), abs_tol=1e-9
        )
        whole = not self.is_int or float(value).is_integer()
        return self._number(value) if fits and whole else None

    def format(self, value: Scalar) -> str:
        """Returns the override that sets the parameter, in six digits of a float."""
        if isinstance(value, float) and not self.choices:
            value = float(f"{value:.6g}")
        text = value if isinstance(value, str) else repr(value)
        return f"{self.prefix}{self.key}={text}"

    @property
    def is_discrete(self) -> bool:
        """Whether another parameter may be searched with some of the values only."""
        return bool(self.choices) or self.is_int

    def list_choices(self) -> list[str]:
        """Returns the choices as texts; of many whole numbers both ends as one."""
        if self.choices:
            return list(map(str, self.choices))
        step = int(self.step or 1)
        numbers = range(int(self.low), int(self.high) + 1, step)
        if len(numbers) <= _MOST_NUMBERS:
            return list(map(str, numbers))
        every = "" if step == 1 else f" by {step}"
        return [f"{numbers[0]} to {numbers[-1]}{every}"]

    def _number(self, value: float) -> int | float:
        return int(value) if self.is_int else float(value)


def parse_parameter(override: "Override", problems: list[Problem]) -> Parameter | None:
    """Returns the parameter that an override describes; one value is a single choice.

    Args:
        override: As Hydra has parsed it.
        problems: Takes what is wrong with it; there is no parameter then.
    """
    text = (override.input_line or "").partition("=")[2]
    prefix = "++" if override.is_force_add() else "+" if override.is_add() else ""
    key = override.get_key_element().lstrip("+")
    common: dict[str, Any] = {"key": key, "prefix": prefix}
    if override.is_interval_sweep():
        return _parse_interval(override.value(), common, text, problems)
    if override.is_range_sweep():
        return _parse_range(list(override.sweep_iterator()), common, text, problems)
    if not override.is_sweep_override():
        return Parameter(**common, choices=_as_choices(key, [override.value()]))
    values = [as_value(element) for element in _list_choices(override)]
    if not values:
        problems.append(Problem(key, f"matches nothing. Received: {text}."))
        return None
    return Parameter(**common, choices=_as_choices(key, values))


def as_choices(values: Sequence[Any]) -> tuple[Scalar, ...]:
    """Returns numbers where all are numbers, which plots can order; else texts."""
    different: list[Any] = []
    for value in values:
        if not any(same_value(value, former) for former in different):
            different.append(value)
    if not all(map(is_number, different)):
        return tuple(map(write_value, different))
    if all(isinstance(value, int) for value in different):
        return tuple(different)
    return tuple(map(float, different))


def _as_choices(key: str, values: Sequence[Any]) -> tuple[Scalar, ...]:
    return as_choices([settle_value(key, value) for value in values])


def settle_value(key: str, value: object) -> Any:
    """Returns a value by its one name: paths absolute, a list of one file as that."""
    if isinstance(value, str) and may_be_path(key, value, RunConfig):
        return locate(value)
    if isinstance(value, list) and len(value) == 1 and key in _GROUPS:
        return value[0]
    return value


def _list_choices(override: "Override") -> list[Any]:
    """Returns choices in one order, for a search is found again by its space."""
    sweep: Any = override.value()
    if getattr(sweep, "shuffle", False):
        override = dataclasses.replace(
            override, _value=dataclasses.replace(sweep, shuffle=False)
        )
    return list(override.sweep_iterator())


def _read(choice: Scalar) -> Any:
    return read_value(choice) if isinstance(choice, str) else choice


def _parse_interval(
    sweep: Any, common: Mapping[str, Any], text: str, problems: list[Problem]
) -> Parameter | None:
    interval: IntervalSweep = sweep
    low, high = float(interval.start or 0), float(interval.end or 0)
    unknown = sorted(interval.tags - {"log"})
    log = "log" in interval.tags
    key = common["key"]
    if unknown:
        reason = f"has the tag {', '.join(unknown)}, which means nothing here."
        problems.append(Problem(key, reason, "The only tag is log."))
    elif low >= high:
        reason = f"needs a lower end below the upper one. Received: {text}."
        problems.append(Problem(key, reason))
    elif log and low <= 0:
        reason = f"needs ends above 0 for the tag log. Received: {text}."
        problems.append(Problem(key, reason))
    else:
        is_int = isinstance(interval.start, int)
        return Parameter(**common, low=low, high=high, is_int=is_int, log=log)
    return None


def _parse_range(
    values: list[Any], common: Mapping[str, Any], text: str, problems: list[Problem]
) -> Parameter | None:
    if not values:
        problems.append(Problem(common["key"], f"has no value. Received: {text}."))
        return None
    if len(values) == 1:
        return Parameter(**common, choices=(values[0],))
    ordered = sorted(values)
    return Parameter(
        **common,
        low=ordered[0],
        high=ordered[-1],
        is_int=all(isinstance(value, int) for value in values),
        step=ordered[1] - ordered[0],
    )
