"""Keys of `resume` and `sweep`: what happens when a command is typed again."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from experiments.config.reading.fields import setting
from experiments.config.schema.trainer import MOST_MINUTES
from experiments.counts import count_of
from experiments.errors import Problem

_Rows = list[dict[str, Any]]
_OWN_BOUNDS = "values of keys that have bounds of their own"


@dataclass(frozen=True, kw_only=True)
class ResumeConfig:
    """How a job that was started before is continued.

    Attributes:
        strict: Refuse to continue when code, packages or data have changed since;
            otherwise that is a warning.
    """

    strict: bool


@dataclass(frozen=True, kw_only=True)
class SweepConfig:
    """How large a sweep may be, what it keeps and how it is continued.

    Attributes:
        retry_failed: Run failed jobs again; otherwise they stay as they are.
        max_jobs: Most jobs of a sweep, values of a searched key and points of a grid:
            each is composed and checked before anything starts.
        zip: Key or group -> values, the first ones of all keys together, then the
            second ones; null for none.
        list: Mappings of keys or groups to a value each, one after the other; null for
            none.
        max_hours: Ends a sweep or a search after so much time, resumably; null for
            never.
        job_minutes: Ends a job of a plain sweep that takes longer; null for never.
        silent_minutes: Ends a job of a plain sweep that takes no step for so long; null
            for never.
        keep_top: Finished jobs of a plain sweep that keep their checkpoints; null for
            all.
    """

    retry_failed: bool
    max_jobs: int = setting(ge=1, most=100_000)
    zip: dict[str, list[Any]] | None = setting(
        unbounded=_OWN_BOUNDS, added=3, before=None
    )
    list: _Rows | None = setting(unbounded=_OWN_BOUNDS, added=3, before=None)
    max_hours: float | None = setting(
        gt=0, least=1e-6, most=MOST_MINUTES / 60, added=3, before=None
    )
    job_minutes: float | None = setting(
        gt=0, least=1e-6, most=MOST_MINUTES, added=3, before=None
    )
    silent_minutes: float | None = setting(
        gt=0, least=1e-6, most=MOST_MINUTES, added=6, before=None
    )
    keep_top: int | None = setting(ge=0, most=100_000, added=3, before=None)

    def check(self) -> Iterator[Problem]:
        """Yields what makes no rows."""
        counts = {key: len(values) for key, values in (self.zip or {}).items()}
        if len(set(counts.values())) > 1:
            (one, n), *others = counts.items()
            other, m = next((k, m) for k, m in others if m != n)
            hint = "Each row takes one value of each list; a grid is typed without zip."
            reason = "must have lists of one length:"
            found = f"{one} has {count_of(n, 'value')}, {other} has {m}."
            yield Problem("zip", f"{reason} {found}", hint)
        elif self.zip is not None and not all(counts.values() or [0]):
            reason = f"must name keys with a list each. Received: {self.zip}."
            yield Problem("zip", reason, "Or set it to null.")
        if self.list is not None and not all(self.list or [{}]):
            reason = "must be a list of mappings of keys to values."
            hint = "Or set it to null."
            yield Problem("list", f"{reason} Received: {self.list}.", hint)
