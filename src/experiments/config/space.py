"""The space of a search: parameters in Hydra's own override grammar.

`optimizer.lr=tag(log,interval(1e-5,1e-2))`, `model=resnet18,resnet50`,
`trainer.batch_size=range(16,65,16)`, `model.width=int(interval(16,64))`: typed, or
under `hydra.sweeper.params`. `hydra.sweeper.when` names a condition for a parameter.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig, OmegaConf

from experiments.config.convert import nearest
from experiments.errors import ConfigError, Problem

if TYPE_CHECKING:
    from hydra.core.override_parser.types import IntervalSweep, Override

Scalar = str | int | float | bool
Values = Mapping[str, Scalar]
_FORMS = "Choices a,b; range(1,9,2); interval(0,1); tag(log,interval(1e-5,1e-2))."


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
        choices: The values; empty for an interval.
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
            return next((c for c in self.choices if _equal(c, value)), None)
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

    def _number(self, value: float) -> int | float:
        return int(value) if self.is_int else float(value)


@dataclass(frozen=True)
class Space:
    """All parameters; those that a condition names come before those that have it."""

    parameters: tuple[Parameter, ...]

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys in their order."""
        return tuple(parameter.key for parameter in self.parameters)

    def active(self, values: Values) -> tuple[Parameter, ...]:
        """Returns the parameters whose condition holds for `values`."""
        found: list[Parameter] = []
        for parameter in self.parameters:
            when, known = parameter.when, {p.key for p in found}
            if when is None or (
                when.key in known and values.get(when.key) in when.values
            ):
                found.append(parameter)
        return tuple(found)

    def as_overrides(self, values: Values) -> tuple[str, ...]:
        """Returns the overrides of a trial; inactive parameters are left alone."""
        return tuple(p.format(values[p.key]) for p in self.active(values))

    def current(
        self, config: DictConfig, choices: Mapping[str, str]
    ) -> dict[str, Scalar] | None:
        """Returns the point of the space that a config is; `None` when it is none.

        Args:
            config: Composed without the parameters.
            choices: Group -> file that it was taken from.
        """
        values = self._locate(config, choices)
        active = self.active(values)
        if any(parameter.key not in values for parameter in active):
            return None
        return {parameter.key: values[parameter.key] for parameter in active}

    def outside(self, config: DictConfig, choices: Mapping[str, str]) -> dict[str, Any]:
        """Returns what of a config lies outside of the space, see `current`."""
        values = self._locate(config, choices)
        return {
            parameter.key: _value_now(parameter.key, config, choices)
            for parameter in self.active(values)
            if parameter.key not in values
        }

    def _locate(
        self, config: DictConfig, choices: Mapping[str, str]
    ) -> dict[str, Scalar]:
        """Returns those values of a config that lie in the space."""
        found = {
            p.key: p.find(_value_now(p.key, config, choices)) for p in self.parameters
        }
        return {key: value for key, value in found.items() if value is not None}


def parse_space(
    params: Mapping[str, object],
    when: Mapping[str, str],
    typed: Sequence["Override"],
    parse: Any,
) -> Space:
    """Returns the space of a search.

    Args:
        params: Key -> values in Hydra's grammar, as in `hydra.sweeper.params`.
        when: Key -> condition such as `optimizer=sgd`.
        typed: Overrides of the command line. Several values replace the parameter of
            their key, a single one takes it out of the space.
        parse: Parses a list of texts into overrides.

    Raises:
        ConfigError: Everything that is not a parameter or a condition.
    """
    problems: list[Problem] = []
    lines = [f"{key}={_as_text(value)}" for key, value in params.items()]
    overrides = {o.key_or_group: o for o in parse(lines)}
    for override in typed:
        # One value takes its key out of the space, several take the others' place.
        overrides.pop(override.key_or_group, None)
        if override.is_sweep_override():
            overrides[override.key_or_group] = override
    parsed = [_parse_parameter(o, problems) for o in overrides.values()]
    found = {parameter.key: parameter for parameter in parsed if parameter is not None}
    fixed = {o.key_or_group: o.value() for o in typed if not o.is_sweep_override()}
    for key, text in when.items():
        parent, _, words = str(text).partition("=")
        if key in fixed:
            continue
        if parent in fixed:
            # Settled for all trials: the parameter is always searched, or never.
            if str(fixed[parent]) not in words.split(","):
                found.pop(key, None)
            continue
        condition = _parse_condition(key, str(text), found, problems)
        if condition is not None:
            found[key] = replace(found[key], when=condition)
    if not found and not problems:
        problems.append(Problem("the search", "has no parameter.", _FORMS))
    if problems:
        raise ConfigError(problems, "The search space")
    return Space(tuple(_order(found)))


def _value_now(key: str, config: DictConfig, choices: Mapping[str, str]) -> Any:
    return choices.get(key, OmegaConf.select(config, key, default=None))


def _as_text(value: object) -> str:
    """Returns a value of YAML in the grammar of the command line."""
    if isinstance(value, list | tuple):
        return ",".join(map(_as_text, value))
    return _plain_text(value)


def _parse_parameter(override: "Override", problems: list[Problem]) -> Parameter | None:
    text = (override.input_line or "").partition("=")[2]
    prefix = "++" if override.is_force_add() else "+" if override.is_add() else ""
    common: dict[str, Any] = {"key": override.get_key_element().lstrip("+")}
    common["prefix"] = prefix
    if override.is_interval_sweep():
        return _parse_interval(override.value(), common, text, problems)
    if override.is_range_sweep():
        return _parse_range(list(override.sweep_iterator()), common, text, problems)
    if not override.is_sweep_override():
        # One value: a constant of the search, which is a space of one.
        return Parameter(**common, choices=(_scalar(override.value(), text),))
    raw = list(override.sweep_iterator())
    texts = list(override.sweep_string_iterator())
    if not texts:
        problems.append(Problem(common["key"], f"matches nothing. Received: {text}."))
        return None
    return Parameter(**common, choices=_as_choices(raw, texts))


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


def _as_choices(raw: Sequence[Any], texts: Sequence[str]) -> tuple[Scalar, ...]:
    """Returns numbers where all are numbers, which plots can order; else texts."""
    types = {type(value) for value in raw}
    values: Iterable[Scalar] = texts
    if types == {int}:
        values = raw
    elif types <= {int, float}:
        values = map(float, raw)
    else:
        pairs = zip(raw, texts, strict=True)
        values = [t.lower() if isinstance(r, bool) else t for r, t in pairs]
    return tuple(dict.fromkeys(values))


def _scalar(value: object, text: str) -> Scalar:
    plain = isinstance(value, int | float) and not isinstance(value, bool)
    return value if plain else text  # type: ignore[return-value]


def _parse_condition(
    key: str, text: str, found: Mapping[str, Parameter], problems: list[Problem]
) -> Condition | None:
    where = f"hydra.sweeper.when.{key}"
    if key not in found:
        problems.append(
            Problem(where, "names no parameter of the search.", nearest(key, found))
        )
        return None
    other, sign, words = text.partition("=")
    parent = found.get(other.strip())
    if not sign or parent is None or not parent.choices:
        reason = "must be a condition on a parameter with choices, such as"
        problems.append(Problem(where, f"{reason} optimizer=sgd. Received: {text!r}."))
        return None
    values = [parent.find(_number(word.strip())) for word in words.split(",")]
    if None in values:
        accepted = ", ".join(map(str, parent.choices))
        reason = f"must name values of {parent.key}: {accepted}. Received: {words}."
        problems.append(Problem(where, reason))
        return None
    return Condition(parent.key, tuple(v for v in values if v is not None))


def _number(word: str) -> object:
    try:
        return float(word)
    except ValueError:
        return word


def _order(found: Mapping[str, Parameter]) -> Iterable[Parameter]:
    """Yields parents before their children, otherwise in the order of `found`."""
    left = dict(found)
    done: set[str] = set()
    while left:
        ready = [key for key, p in left.items() if p.when is None or p.when.key in done]
        if not ready:
            names = ", ".join(left)
            reason = f"form a circle: {names}."
            raise ConfigError([Problem("the conditions in hydra.sweeper.when", reason)])
        for key in ready:
            done.add(key)
            yield left.pop(key)


def _equal(choice: Scalar, value: object) -> bool:
    if isinstance(choice, str):
        return choice == _plain_text(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isclose(float(choice), float(value), rel_tol=1e-12)


def _plain_text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "null" if value is None else str(value)
