"""Keys of `resume` and `sweep`: what happens when a command is typed again."""

from dataclasses import dataclass


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
    """How a sweep that was started before is continued.

    Attributes:
        retry_failed: Run failed jobs again; otherwise they stay as they are.
    """

    retry_failed: bool
