"""The records of a run in the order in which they were made, safe on disk at once."""

import json
import logging
import os
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.errors import TrackingError

_LOGGER = logging.getLogger(__name__)

SESSION = "session"  # kind of the entry with which a process begins
PARAMS = "params"  # kind of settings that MLflow gets, each once
PLANNED = "planned"  # kind of settings that may still change, see `Seen`
DAMAGED = "damaged"  # kind of a line that cannot be read


@dataclass(frozen=True)
class Entry:
    """One record.

    Attributes:
        number: Its place in the journal, from 0.
        kind: Such as `metrics`; says how it is delivered.
        time: When it was made, milliseconds since 1970.
        content: Plain data.
    """

    number: int
    kind: str
    time: int
    content: Mapping[str, Any]


class Journal:
    """Entries in memory and, line by line, in a file that is only appended to.

    A line that a crash has torn is cut off. When the disk refuses, entries stay in
    memory and are written with the next one that it takes.

    Args:
        path: The file; its folder is made with the first entry.
        keep: Whether `entries` grows by what is appended.

    Raises:
        TrackingError: The file exists and cannot be read.
    """

    def __init__(self, path: Path, *, keep: bool = True) -> None:
        self.entries, self._size = _read(path)
        self._path = path
        self._keep = keep
        self._count = len(self.entries)
        self._unwritten: list[Entry] = []
        self._descriptor: int | None = None
        self._failing = False
        self._lock = threading.Lock()

    def append(
        self, kind: str, content: Mapping[str, Any], *, durable: bool = False
    ) -> None:
        """Adds an entry; never fails.

        Args:
            kind: What the entry is.
            content: Plain data.
            durable: Survive a power cut too, which takes a disk some milliseconds.
        """
        with self._lock:
            now = time.time_ns() // 1_000_000
            entry = Entry(self._count, kind, now, dict(content))
            self._count += 1
            self._unwritten.append(entry)
            if self._keep:
                self.entries.append(entry)
            try:
                self._write(durable=durable)
            except OSError as error:
                self._note_failure(error)
            else:
                self._failing = False

    def close(self) -> None:
        """Closes the file; a later entry opens it again."""
        with self._lock:
            if self._descriptor is not None:
                os.close(self._descriptor)
                self._descriptor = None

    def _write(self, *, durable: bool) -> None:
        if self._descriptor is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._descriptor = os.open(
                self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644
            )
        # Off with whatever a crash or a full disk has left of a line.
        os.ftruncate(self._descriptor, self._size)
        data = b"".join(map(_as_line, self._unwritten))
        write_all(self._descriptor, data)
        if durable:
            os.fsync(self._descriptor)
        self._size += len(data)
        self._unwritten.clear()

    def _note_failure(self, error: OSError) -> None:
        if not self._failing:
            _LOGGER.warning(
                "%s cannot be written (%s). Training goes on; records are kept in "
                "memory and sent from there.",
                self._path,
                error.strerror or error,
            )
        self._failing = True


def read_entries(path: Path) -> list[Entry]:
    """Returns the entries of a journal that another process may be writing.

    Raises:
        TrackingError: The file exists and cannot be read.
    """
    return _read(path)[0]


def find_opening(entries: Sequence[Entry]) -> Entry:
    """Returns the entry that says what the run is.

    Raises:
        TrackingError: There is none that can be read.
    """
    for entry in entries:
        if entry.kind == SESSION:
            return entry
    raise TrackingError("its journal does not say what the run is")


def write_all(descriptor: int, data: bytes) -> None:
    """Writes all of `data`; a disk that runs full takes only a part at first."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _read(path: Path) -> tuple[list[Entry], int]:
    """Returns the entries and the bytes that they take, a torn last line left out."""
    data = b""
    try:
        with suppress(FileNotFoundError, NotADirectoryError):
            data = path.read_bytes()
    except OSError as error:
        raise TrackingError(f"{path} cannot be read: {error.strerror}") from error
    whole, newline, _ = data.rpartition(b"\n")
    lines = whole.split(b"\n") if newline else []
    entries = [_parse(number, line) for number, line in enumerate(lines)]
    return entries, len(whole) + len(newline)


def _parse(number: int, line: bytes) -> Entry:
    try:
        found = json.loads(line)
        return Entry(number, found["kind"], found["time"], found["content"])
    except (ValueError, KeyError, TypeError):
        # It keeps its place: how far the sender got is counted in lines.
        return Entry(number, DAMAGED, 0, {})


def _as_line(entry: Entry) -> bytes:
    # NaN and infinity are written as such, which Python reads back.
    content = {"kind": entry.kind, "time": entry.time, "content": entry.content}
    return json.dumps(content, default=str).encode() + b"\n"
