"""The records of a run in the order in which they were made, safe on disk at once."""

import json
import logging
import os
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, BinaryIO

from experiments.errors import TrackingError
from experiments.files import open_own
from experiments.records import (
    FORMAT,
    RecordError,
    open_file,
    parse_json,
    stamp,
    unstamp,
)
from experiments.shapes import Rule, conform
from experiments.tracking.spool.contents import check_content

_LOGGER = logging.getLogger(__name__)

SESSION = "session"  # kind of the entry with which a process begins
PARAMS = "params"  # kind of settings that MLflow gets, each once
PLANNED = "planned"  # kind of settings that may still change, see `Seen`
INPUTS = "inputs"  # kind of the data sets that a run reads
NOTE = "note"  # kind of a run's description
END = "end"  # kind of the entry with which a process closes the run
DAMAGED = "damaged"  # kind of a line that cannot be read

# An epoch takes some 500 bytes, all of a config and its environment some 50 kB.
_MEBIBYTE = 2**20
_MOST_BYTES = 256 * _MEBIBYTE
_LINE_BYTES = 4 * _MEBIBYTE
_MOST_ENTRIES = 1_000_000

_YEAR_10000 = 253_402_300_800_000
_Time = Annotated[
    int,
    Rule(lambda time: 0 <= time < _YEAR_10000, "milliseconds since 1970"),
]


@dataclass(frozen=True)
class Entry:
    """One record.

    Attributes:
        number: Its place in the journal, from 0.
        kind: Such as `metrics`; says how it is delivered.
        time: When it was made, milliseconds since 1970.
        content: Plain data; of a damaged one the `problem`.
        format: In which it was written, see `records`.
    """

    number: int
    kind: str
    time: int
    content: Mapping[str, Any]
    format: int = FORMAT


class Journal:
    """Entries in memory and, line by line, in a file that is only appended to.

    A line that a crash has torn is cut off. When the disk refuses, entries stay in
    memory and are written with the next one that it takes.

    Args:
        path: The file; its folder is made with the first entry.
        keep: Whether `entries` grows by what is appended.

    Raises:
        TrackingError: The file exists and cannot be read.
        NewerRecordError: A later release has written to it.
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
    ) -> int:
        """Adds an entry and returns its number; never fails.

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
            return entry.number

    def close(self) -> None:
        """Closes the file; a later entry opens it again."""
        with self._lock:
            if self._descriptor is not None:
                os.close(self._descriptor)
                self._descriptor = None

    def _write(self, *, durable: bool) -> None:
        if self._descriptor is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._descriptor = open_own(self._path, os.O_APPEND)
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
        NewerRecordError: A later release has written to it.
    """
    return _read(path)[0]


def read_opening(path: Path) -> Entry:
    """Returns the entry of a journal that says what the run is, and reads no further.

    Raises:
        TrackingError: The file cannot be read, or has none.
    """
    return find_opening(entry for entry, _ in _iterate(path))


def find_opening(entries: Iterable[Entry]) -> Entry:
    """Returns the entry that says what the run is.

    Raises:
        TrackingError: There is none that can be read.
    """
    for entry in entries:
        if entry.kind == SESSION:
            return entry
    raise TrackingError("its journal does not say what the run is")


def find_end(entries: Sequence[Entry]) -> Entry | None:
    """Returns the entry that closed the run; `None` where a process has it open.

    What is added to a run that has ended stands behind it.
    """
    for entry in reversed(entries):
        if entry.kind in (SESSION, END):
            return entry if entry.kind == END else None
    return None


def write_all(descriptor: int, data: bytes) -> None:
    """Writes all of `data`; a disk that runs full takes only a part at first."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _read(path: Path) -> tuple[list[Entry], int]:
    """Returns the entries and the bytes that they take, a torn last line left out."""
    entries: list[Entry] = []
    size = 0
    for entry, length in _iterate(path):
        entries.append(entry)
        size += length
    return entries, size


def _iterate(path: Path) -> Iterator[tuple[Entry, int]]:
    """Yields the entries and their bytes, a torn last line left out."""
    try:
        with open_file(path) as file:
            _check_size(path, file)
            for number, (line, length) in enumerate(_read_lines(file)):
                if number >= _MOST_ENTRIES:
                    raise TrackingError(f"{path} has more than {_MOST_ENTRIES:,} lines")
                yield _parse(number, line, path), length
    except FileNotFoundError:
        return
    except RecordError as error:
        raise TrackingError(f"{path} cannot be read: {error.problem}") from error
    except OSError as error:
        raise TrackingError(f"{path} cannot be read: {error.strerror}") from error


def _check_size(path: Path, file: BinaryIO) -> None:
    size = os.fstat(file.fileno()).st_size
    if size > _MOST_BYTES:
        raise TrackingError(
            f"{path} has {size:,} bytes, more than {_MOST_BYTES // _MEBIBYTE} MiB"
        )


def _read_lines(file: BinaryIO) -> Iterator[tuple[bytes | None, int]]:
    """Yields whole lines and their bytes; `None` for one that is far too long."""
    while line := file.readline(_LINE_BYTES):
        length, end = len(line), line
        while len(end) == _LINE_BYTES and not end.endswith(b"\n"):
            end = file.readline(_LINE_BYTES)
            length += len(end)
        if not end.endswith(b"\n"):
            return
        yield line if length == len(line) else None, length


def _parse(number: int, line: bytes | None, path: Path) -> Entry:
    try:
        if line is None:
            raise ValueError(f"it is longer than {_LINE_BYTES // _MEBIBYTE} MiB")
        plain, written = unstamp(parse_json(line), path)
        found = conform(plain, dict[str, Any])
        kind = conform(found.get("kind"), str, "kind")
        when = conform(found.get("time"), _Time, "time")
        content = check_content(kind, found.get("content"))
        return Entry(number, kind, when, content, written)
    except ValueError as error:
        # It keeps its place: how far the sender got is counted in lines.
        return Entry(number, DAMAGED, 0, {"problem": str(error)})


def _as_line(entry: Entry) -> bytes:
    # NaN and infinity are written as such, which Python reads back.
    content = {"kind": entry.kind, "time": entry.time, "content": entry.content}
    return json.dumps(stamp(content), default=str).encode() + b"\n"
