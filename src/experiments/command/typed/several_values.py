"""Words that give a key several values, where they may and where they may not."""

import dataclasses
import shlex
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from hydra.core.override_parser.types import ChoiceSweep

from experiments.command.answers.diagnosis import MOST_REPEATED
from experiments.command.composing.composer import quote_word
from experiments.config.reading.fields import is_component, is_text, takes_text
from experiments.config.schema.run import RunConfig
from experiments.errors import Problem

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override

_LISTS = ("gpu", "augment", "callbacks")  # whose values go together
# Groups of which one file is chosen.
_SINGLE = {
    *("trainer", "tracking"),
    *(field.name for field in dataclasses.fields(RunConfig) if is_component(field)),
}.difference(_LISTS)


def find_repeated(typed: Sequence["Override"]) -> Iterator[Problem]:
    """Yields the keys that were given several values twice: one would be forgotten.

    Two presets are another matter than two values of a key, of which the last counts as
    on any command line: each is a whole experiment, and one may be a search.
    """
    given: dict[str, list[Override]] = {}
    for override in typed:
        given.setdefault(override.get_key_element(), []).append(override)
    for key, overrides in given.items():
        is_space = any(o.is_interval_sweep() for o in overrides)  # whose last counts
        reason = f"is given {len(overrides)} times, and only the last would count."
        if key == "experiment" and overrides[1:]:
            yield Problem(key, reason, "Type it once.")
        elif overrides[1:] and not is_space and any(map(is_swept, overrides)):
            values = [(o.input_line or "").partition("=")[2] for o in overrides]
            word = shlex.quote(f"{key}={','.join(values)}")
            hint = (
                f"To run all of them: -m {word}" if len(word) <= MOST_REPEATED else ""
            )
            yield Problem(key, reason, hint or "Type it once.")


def find_listed(typed: Iterable["Override"]) -> Iterator[Problem]:
    """Yields choices of several files of which one counts, or one is repeated."""
    for override in typed:
        key = override.key_or_group
        value: Any = override.value()
        swept = value.list if isinstance(value, ChoiceSweep) else [value]
        listed = next((part for part in swept if isinstance(part, list)), None)
        names = [str(name) for name in listed or ()]
        if key == "augment" and (twice := {n for n in names if names.count(n) > 1}):
            reason = f"names {min(twice)} twice. Received: [{', '.join(names)}]."
            yield Problem(key, reason)
        if key not in _SINGLE or not names[1:]:
            continue
        word = shlex.quote(f"{key}={','.join(names)}")
        hint = f"To run each of them: -m {word}"
        reason = f"takes one file. Received: [{', '.join(names)}]."
        yield Problem(key, reason, hint)


def is_swept(override: "Override") -> bool:
    """Tells whether it names several values, not for Hydra itself."""
    return override.is_sweep_override() and not override.is_hydra_override()


def several_of_hydra(override: "Override") -> Problem:
    """Says that a key of Hydra's own takes one value."""
    key, _, value = (override.input_line or "").partition("=")
    return Problem(key, f"takes one value, in a sweep too. Received: {value}.")


def several_values(override: "Override") -> Problem:
    """Says how to type several values of a key of a single run."""
    key = override.key_or_group
    value = (override.input_line or "").partition("=")[2]
    message = f"takes one value in a single run. Received: {value}."
    if override.is_interval_sweep():
        hint = "Add -m hydra/sweeper=keras_tuner to search it."
        return Problem(key, message, hint)
    if key in _LISTS:
        word = shlex.quote(f"{key}=[{value}]")
        return Problem(
            key, message, f"To have all of them, put brackets around: {word}"
        )
    if is_text(key, RunConfig, in_list=True):
        hint = "To name several, put brackets around them"
        shown = (
            f": {shlex.quote(f'{key}=[{value}]')}"
            if len(value) <= MOST_REPEATED
            else "."
        )
        return Problem(key, message, hint + shown)
    if not takes_text(key, RunConfig):
        return Problem(key, message, "To run each of them, add -m.")
    hint = "Add -m to run each of them, or quote it to pass a text"
    shown = f": {quote_word(key, value)}" if len(value) <= MOST_REPEATED else "."
    return Problem(key, message, hint + shown)
