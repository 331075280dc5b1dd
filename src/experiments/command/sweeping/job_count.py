"""How many jobs a sweep would have, before any of them exists."""

import math
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from hydra.core.override_parser.types import ChoiceSweep, RangeSweep

from experiments.config.search.parameter import Parameter
from experiments.counts import count_of, write_count
from experiments.errors import ConfigError, Problem

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override

_KEY = "sweep.max_jobs"
_MOST_RANGE = 1_000_000
_GRID_SAMPLES = 10  # of an interval without steps


def check_job_count(
    given: Sequence["Override"], max_jobs: int, rows: Mapping[str, int]
) -> None:
    """Checks that a sweep is small enough to be composed.

    Args:
        given: Its overrides; the last one of a key counts.
        max_jobs: As `sweep.max_jobs`.
        rows: How many rows each block of them has, see `pairs`.

    Raises:
        ConfigError: It has no job or too many, or values without an end.
    """
    last = {o.get_key_element(): o for o in given}
    _refuse_endless([o for o in given if o is not last[o.get_key_element()]])
    swept = [o for o in last.values() if o.is_discrete_sweep()]
    counts = [count_values(override) for override in swept]
    jobs = math.prod(counts)
    if not jobs:  # however many the other keys have
        empty = [o for o, count in zip(swept, counts, strict=True) if not count]
        words = " ".join(override.input_line or "" for override in empty)
        hint = "Name values that exist; --help lists them."
        raise ConfigError([Problem(words, "matches nothing: there is no job.", hint)])
    counts = [*rows.values(), *counts]
    jobs = math.prod(counts)
    if jobs > max_jobs:
        words = " ".join([*rows, *(override.input_line or "" for override in swept)])
        reason = f"makes {describe_product(counts)}, and "
        hint = "Sweep fewer values, or search them: hydra/sweeper=keras_tuner."
        raise ConfigError([too_many(words, reason, jobs, max_jobs, hint)], "The sweep")


def _refuse_endless(replaced: Sequence["Override"]) -> None:
    """Refuses too many values of a key that is given again: Hydra makes them all."""
    for override in replaced:
        count = count_values(override) if override.is_discrete_sweep() else 0
        if count > _MOST_RANGE:
            reason = f"has {write_count(count)} values, more than {_MOST_RANGE:,}."
            hint = "The key is given again: leave this one out."
            raise ConfigError([Problem(override.input_line or "", reason, hint)])


def check_value_counts(given: Sequence["Override"], max_jobs: int) -> Iterator[Problem]:
    """Yields the keys of a search that have too many values.

    Each choice is checked; of a range its ends are, but its values are kept.

    Args:
        given: What describes a parameter each.
        max_jobs: As `sweep.max_jobs`.
    """
    hint = "Search an interval: interval(0,1) or int(interval(1,1000))."
    for override in given:
        if not override.is_discrete_sweep():
            continue
        words, count = override.input_line or "", count_values(override)
        if override.is_range_sweep() and count > _MOST_RANGE:
            reason = f"has {write_count(count)} values, more than {_MOST_RANGE:,}."
            yield Problem(words, reason, hint)
        elif not override.is_range_sweep() and count > max_jobs:
            reason = f"has {write_count(count)} values, and "
            yield too_many(words, reason, count, max_jobs, hint)


def count_grid_values(parameter: Parameter) -> int:
    """Returns how many values of a parameter Keras Tuner's grid goes through."""
    if parameter.choices:
        return len(parameter.choices)
    step = parameter.step or (1 if parameter.is_int and not parameter.log else None)
    if step is None:
        return _GRID_SAMPLES
    return int((parameter.high - parameter.low) / step + 1e-8) + 1


def too_many(key: str, reason: str, count: int, max_jobs: int, hint: str) -> Problem:
    """Describes what is more than a sweep or a search may have, and how to allow it."""
    allow = "" if count > 100_000 else f" To allow them: {_KEY}={count}"
    return Problem(key, f"{reason}{_KEY} is {max_jobs:,}.", f"{hint}{allow}")


def describe_product(counts: Sequence[int]) -> str:
    """Returns a number of jobs and where it comes from: `6 jobs (2 x 3)`."""
    factors = " x ".join(map(write_count, counts))
    jobs = count_of(math.prod(counts), "job")
    return f"{jobs} ({factors})" if len(counts) > 1 else jobs


def count_values(override: "Override") -> int:
    """Returns how many values an override stands for, without making them.

    Raises:
        ConfigError: A range does not get from one end to the other.
    """
    value = override.value()
    if isinstance(value, ChoiceSweep):
        return len(value.list)
    if isinstance(value, RangeSweep):
        return _count_range(value, override)
    return len(list(override.sweep_iterator()))  # files that a pattern matches


def _count_range(sweep: RangeSweep, override: "Override") -> int:
    ends = [Decimal(n or 0) for n in (sweep.start, sweep.stop, sweep.step)]
    start, stop, step = ends
    if not all(end.is_finite() for end in ends) or not step:
        reason = "must have finite ends and a step other than 0, such as range(0,10,2)."
        word = override.key_or_group
        received = (override.input_line or "").partition("=")[2]
        raise ConfigError([Problem(word, f"{reason} Received: {received}.")])
    return max(0, math.ceil((stop - start) / step))
