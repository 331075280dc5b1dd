"""The space of a search: parameters in Hydra's own override grammar.

`optimizer.lr=tag(log,interval(1e-5,1e-2))`, `model=resnet18,resnet50`,
`trainer.batch_size=range(16,65,16)`, `model.width=int(interval(16,64))`: typed, or
under `hydra.sweeper.params`. `hydra.sweeper.when` names a condition for a parameter.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig, OmegaConf

from experiments.config.reading.convert import MISSING
from experiments.config.reading.values import write_value
from experiments.config.search.conditions import (
    Surroundings,
    apply_clauses,
    parse_clauses,
)
from experiments.config.search.parameter import Parameter, Scalar, parse_parameter
from experiments.errors import ConfigError, Problem

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override

Values = Mapping[str, Scalar]
Choices = Mapping[str, str | None]
ABSENT = object()  # instead of the value of a key that a config does not have
_FORMS = "Choices a,b; range(1,9,2); interval(0,1); tag(log,interval(1e-5,1e-2))."


@dataclass(frozen=True)
class Space:
    """All parameters; those that a condition names come before those that have it.

    Attributes:
        parameters: In their order.
        left_out: Why a parameter is never searched, a sentence each.
    """

    parameters: tuple[Parameter, ...]
    left_out: tuple[str, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys in their order."""
        return tuple(parameter.key for parameter in self.parameters)

    def in_order(self, keys: Sequence[str]) -> "Space":
        """Returns the space with its parameters in the order of `keys`."""
        place = {key: number for number, key in enumerate(keys)}
        ordered = sorted(self.parameters, key=lambda p: place.get(p.key, len(place)))
        return replace(self, parameters=tuple(ordered))

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

    def list_fixed(self, typed: Sequence["Override"]) -> tuple[str, ...]:
        """Returns the typed overrides that every trial has."""
        return tuple(
            override.input_line or ""
            for override in typed
            if not override.is_sweep_override()
            and override.key_or_group not in self.keys
        )

    def current(self, config: DictConfig, choices: Choices) -> dict[str, Scalar] | None:
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

    def outside(self, config: DictConfig, choices: Choices) -> dict[str, Any]:
        """Returns what of a config lies outside of the space, see `current`.

        The value of a key that the config does not have is `ABSENT`.
        """
        values = self._locate(config, choices)
        return {
            parameter.key: _value_now(parameter.key, config, choices)
            for parameter in self.active(values)
            if parameter.key not in values
        }

    def _locate(self, config: DictConfig, choices: Choices) -> dict[str, Scalar]:
        """Returns those values of a config that lie in the space."""
        found = {p.key: _find_now(p, config, choices) for p in self.parameters}
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
            their key. A single one takes it out of the space, or is its only choice
            where the key has a condition.
        parse: Parses a list of texts into overrides.

    Raises:
        ConfigError: Everything that is not a parameter or a condition.
    """
    problems: list[Problem] = []
    lines = [f"{key}={_as_text(value)}" for key, value in params.items()]
    last: dict[str, Override] = {}
    for override in typed:
        last.pop(override.key_or_group, None)
        last[override.key_or_group] = override
    declared: dict[str, Parameter] = {}
    found: dict[str, Parameter] = {}
    for override in parse(lines):
        is_kept = override.key_or_group not in last
        parameter = parse_parameter(override, problems if is_kept else [])
        if parameter is not None:
            declared[parameter.key] = parameter
            found |= {parameter.key: parameter} if is_kept else {}
    for override in (o for o in last.values() if o.is_sweep_override()):
        parameter = parse_parameter(override, problems)
        found |= {} if parameter is None else {parameter.key: parameter}
    single = {
        key: override
        for key, override in last.items()
        if not override.is_sweep_override() and not override.is_delete()
    }
    around = Surroundings(found, declared, single)
    clauses = parse_clauses(when, parse, problems)
    left_out = apply_clauses(clauses, around, problems)
    if not found and not problems:
        reason = " ".join(["has no parameter.", *left_out])
        problems.append(Problem("the search", reason, _FORMS))
    if problems:
        raise ConfigError(problems, "The search space")
    return Space(tuple(_order(found)), left_out)


def _find_now(parameter: Parameter, config: DictConfig, choices: Choices) -> Any:
    value = _value_now(parameter.key, config, choices)
    found = parameter.find(value)
    if found is None and parameter.key in choices:
        return parameter.find([value])  # a list of one file is that file
    return found


def _value_now(key: str, config: DictConfig, choices: Choices) -> Any:
    if key in choices:
        return ABSENT if choices[key] == MISSING else choices[key]
    value = OmegaConf.select(config, key, default=ABSENT)
    return OmegaConf.to_container(value, resolve=True) if _is_node(value) else value


def _is_node(value: Any) -> bool:
    return bool(OmegaConf.is_config(value))


def _as_text(value: object) -> str:
    """Returns a value of YAML in the grammar of the command line."""
    if isinstance(value, list | tuple):
        return ",".join(map(_as_text, value))
    return value if isinstance(value, str) else write_value(value)


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
