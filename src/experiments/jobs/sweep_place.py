"""Which job of how many one is in its sweep, and how long the sweep still takes.

Jobs of a sweep may run in turn in one process, in several at a time or in one each.
What they tell each other stands in the sweep's folder: lines of who began and ended
when, and what the first of them printed of itself.
"""

import hashlib
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypedDict

from experiments import job_files
from experiments.files import open_own
from experiments.records import (
    RecordError,
    parse_record,
    read_bytes,
    read_record,
    stamp,
)
from experiments.shapes import Count

# Environment of a job: how many there are in its sweep.
COUNT_VARIABLE = "EXPERIMENTS_SWEEP_JOBS"
_DIGITS = 16


class _Line(TypedDict):
    job: Count
    event: Literal["began", "ended"]
    at: float


class _Header(TypedDict):
    rows: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class SweepPlace:
    """A job's place in its sweep.

    Attributes:
        folder: Of the sweep.
        number: Of the job, from 1 on.
        total: Jobs of the sweep.
    """

    folder: Path
    number: int
    total: int
    _begin: float = field(default_factory=time.time)

    def __str__(self) -> str:
        """Returns `job 2 of 4`."""
        return f"job {self.number} of {self.total}"

    @contextmanager
    def running(self) -> Iterator[None]:
        """Lets the other jobs know of this one while it runs."""
        self._append("began")
        try:
            yield
        finally:
            self._append("ended")

    def skip(self) -> None:
        """Lets the other jobs know that there is nothing to do for this one."""
        self._append("ended")

    def seconds_left(self, job_seconds: float | None) -> float | None:
        """Returns how long the sweep still takes.

        Every job that has not begun is taken to last as long as those that ended and
        this one did on average, as many of them at a time as run now.

        Args:
            job_seconds: What this job still takes; `None` when it has just begun.

        Returns:
            Seconds; `None` while nothing is known.
        """
        began, ended = self._read()
        known = [ended[job] - began[job] for job in ended if job in began]
        if job_seconds is not None:
            known.append(time.time() - self._begin + job_seconds)
        if not known:
            return None
        waiting = self.total - len(began.keys() | ended.keys() | {self.number})
        waiting += job_seconds is None
        at_a_time = max(len(began.keys() - ended.keys()), 1)
        rest = waiting * sum(known) / len(known) / at_a_time
        return rest + (job_seconds or 0.0)

    def keep_new(self, rows: Mapping[str, str]) -> Mapping[str, str]:
        """Returns the rows that tell this job from the first one that was shown.

        Args:
            rows: Name -> text. Those of the first job are kept and returned whole.
        """
        path = self.folder / job_files.SWEEP_HEADER
        try:
            if _claim(path, rows):
                return rows
            first: _Header = read_record(path, _Header)
        except (OSError, RecordError):  # nothing can be compared: show all
            return rows
        return {k: text for k, text in rows.items() if first["rows"].get(k) != text}

    def _append(self, event: str) -> None:
        """Adds a line in one piece; without it the time left is less well known."""
        line = stamp({"job": self.number, "event": event, "at": time.time()})
        with suppress(OSError):
            descriptor = open_own(self.folder / job_files.SWEEP_PACE, os.O_APPEND)
            with os.fdopen(descriptor, "ab", buffering=0) as file:
                file.write(json.dumps(line).encode() + b"\n")

    def _read(self) -> tuple[dict[int, float], dict[int, float]]:
        """Returns when each job began and ended."""
        began: dict[int, float] = {}
        ended: dict[int, float] = {}
        path = self.folder / job_files.SWEEP_PACE
        with suppress(OSError, RecordError):
            for text in read_bytes(path).splitlines():
                with suppress(ValueError):  # half a line, of a disk that is full
                    line: _Line = parse_record(text, _Line, place=path)
                    times = began if line["event"] == "began" else ended
                    times[line["job"]] = line["at"]
        return began, ended


def find_place(job: Any, folder: Path | None) -> SweepPlace | None:
    """Returns the place of a job; `None` outside of a sweep whose jobs are counted.

    Args:
        job: What Hydra knows of it, `hydra.job`.
        folder: Of the sweep.
    """
    total = str(job.env_set.get(COUNT_VARIABLE, ""))
    if folder is None or not total.isdecimal():
        return None
    return SweepPlace(folder=folder, number=int(job.num) + 1, total=int(total))


def is_first_to_say(folder: Path, text: str) -> bool:
    """Tells whether no job of a sweep has said something; then this one has.

    Args:
        folder: Of the sweep.
        text: What is to be said once, since the sweep was started.
    """
    name = hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]
    place = folder / job_files.WORKERS / job_files.ADVICE
    try:
        place.mkdir(parents=True, exist_ok=True)
        (place / name).open("x").close()
    except FileExistsError:
        return False
    except OSError:  # rather twice than never
        return True
    return True


def forget_places(folder: Path) -> None:
    """Removes what jobs told each other when the sweep was run before."""
    said = (folder / job_files.WORKERS / job_files.ADVICE).glob("*")
    notes = (folder / job_files.SWEEP_PACE, folder / job_files.SWEEP_HEADER)
    for path in (*notes, *said):
        with suppress(OSError):
            path.unlink(missing_ok=True)


def _claim(path: Path, rows: Mapping[str, str]) -> bool:
    """Writes what the first job shows, whole at once; tells whether this one is it."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.write_text(json.dumps(stamp({"rows": dict(rows)})), encoding="utf-8")
    try:
        os.link(draft, path)
    except FileExistsError:
        return False
    finally:
        draft.unlink(missing_ok=True)
    return True
