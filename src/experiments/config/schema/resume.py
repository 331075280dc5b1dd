"""Keys of `resume` and `sweep`: what happens when a command is typed again."""

from dataclasses import dataclass

from experiments.config.fields import setting


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
    """How large a sweep may be, and how one that was started before is continued.

    Attributes:
        retry_failed: Run failed jobs again; otherwise they stay as they are.
        max_jobs: Most jobs of a sweep, values of a searched key and points of a grid:
            each is composed and checked before anything starts.
    """

    retry_failed: bool
    max_jobs: int = setting(ge=1, most=100_000)
