"""What was found of one thing, and what to do about it."""

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warning", "error"]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One line of the doctor.

    Attributes:
        level: `error` where trainings fail, `warning` where they may or are slow.
        what: What was looked at, a word or two.
        told: What was found.
        advice: What to do, a sentence; empty where nothing is to be done.
    """

    level: Level
    what: str
    told: str
    advice: str = ""
