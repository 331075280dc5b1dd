"""Reads back what a process has left on disk: as material, which is never obeyed.

Whoever copies a folder of results from elsewhere must not have to trust it. A file is
read when it is an ordinary one in its place and of a sensible size; what stands in it
must have the form in which it was written; and a path in it leads nowhere else.

Records outlive the code: each says its format, one number for all kinds of them. What
an older one means today, `config.formats.history` tells; a newer one is refused.
"""

import json
import os
import re
import stat
from collections.abc import Callable, Mapping
from contextlib import suppress
from io import BufferedReader
from pathlib import Path
from typing import Any

from experiments import job_files
from experiments.errors import ExperimentError
from experiments.files import replace_json
from experiments.shapes import ShapeError, conform
from experiments.version import __version__

# Of all that is written. A record without one was written before there were formats.
FORMAT = 6
FIRST = 1
_KEY, _RELEASE = "format", "release"
_HEADER = re.compile(
    rb"# experiments ([\w.+-]{1,40}), format (\d{1,9})\r?$", re.MULTILINE
)
_LINE = re.compile(
    rb'^\{\s*"format": (\d{1,9})(?:,\s*"release": "([\w.+-]{1,40})")?', re.M
)
_RELEASES = re.compile(r"[\w.+-]{1,40}")
# Folders of records in that of a job.
_ROOMS = (job_files.CHECKPOINTS, job_files.SEARCH, job_files.TRACKING)
_HEAD_BYTES, _MOST_BYTES = 200, 256 * 2**20  # of what is searched for its format

LIMIT = 16 * 2**20  # bytes of a file without a reason to be larger
_MEBIBYTE = 2**20


class RecordError(ExperimentError, ValueError):
    """A file that was read back is not as it was written.

    Args:
        path: The file.
        problem: What is wrong with it.
        advice: What to do next, a sentence; may be empty.
    """

    def __init__(self, path: Path | str, problem: str, advice: str = "") -> None:
        self.path, self.problem, self.advice = path, problem, advice
        text = f"{path} is damaged: {problem.rstrip('.')}"
        super().__init__(f"{text}. {advice}" if advice else text)

    def __reduce__(self) -> tuple[type, tuple[Path | str, str, str]]:
        """Comes back from a launcher's worker as it was raised."""
        return type(self), (self.path, self.problem, self.advice)


class OutsideError(ExperimentError, ValueError):
    """A record names what lies outside of its folder."""


class NewerRecordError(ExperimentError):
    """A record of a later release: whole, and not to be replaced by what is known here.

    No `RecordError`, which some readers take for a record that is not there.

    Args:
        place: The file, or what it is a part of.
        found: Its format.
        release: Which one wrote it, where that is known.
    """

    def __init__(self, place: Path | str, found: int, release: str | None) -> None:
        self.place, self.found, self.release = place, found, release
        by = f"experiments {release}" if release else "a later release of experiments"
        wanted = "that release" if release else "a later one"
        super().__init__(
            f"{place} was written by {by} in format {found}; this is {__version__}, "
            f"which reads up to {FORMAT}. Nothing was changed. Install {wanted}."
        )

    def __reduce__(self) -> tuple[type, tuple[Path | str, int, str | None]]:
        """Comes back from a launcher's worker as it was raised."""
        return type(self), (self.place, self.found, self.release)


# Makes what an older record says what one of today would say: content, its format.
Upgrade = Callable[[Any, int], Any]


def stamp(content: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a record with its format and who wrote it."""
    return {_KEY: FORMAT, _RELEASE: __version__, **content}


def write_record(
    path: Path, content: Mapping[str, Any], *, indent: int | None = None
) -> None:
    """Writes a record, see `replace_json`."""
    replace_json(path, stamp(content), indent=indent)


def write_header() -> str:
    """Returns the comment by which a YAML file says its format."""
    return f"# experiments {__version__}, format {FORMAT}\n"


def read_header(content: bytes, place: Path | str) -> int:
    """Returns the format of a YAML file.

    Raises:
        NewerRecordError: A later release wrote it.
    """
    found = _HEADER.match(content)
    return FIRST if found is None else check_format(int(found[2]), place, found[1])


def check_format(
    found: object, place: Path | str, release: bytes | str | None = None
) -> int:
    """Returns a format that can be read.

    Raises:
        NewerRecordError: A later release wrote it.
        ShapeError: It is no format.
    """
    if type(found) is not int or not FIRST <= found < 2**31:
        raise ShapeError(f"`{_KEY}` must be an integer, 1 or more")
    if found > FORMAT:
        by = release.decode(errors="replace") if isinstance(release, bytes) else release
        raise NewerRecordError(place, found, by)
    return found


def refuse_newer_in(folder: Path) -> None:
    """Looks whether a later release has written records of a job or a sweep.

    Raises:
        NewerRecordError: It has. Whatever else is wrong with a record is told by its
            reader.
    """
    newest_format(folder)


def newest_format(folder: Path) -> int:
    """Returns the latest format of the records of a job or a sweep.

    It is that of files beside them which cannot say their own, such as Hydra's.

    Raises:
        NewerRecordError: A later release wrote one.
    """
    found = FIRST
    for room in ("", *_ROOMS):
        place = folder / room
        for path in sorted(place.iterdir()) if place.is_dir() else ():
            if path.suffix in (".json", ".jsonl"):
                with suppress(OSError):
                    if stat.S_ISREG(path.lstat().st_mode):
                        found = max(found, _newest_in(path))
    return found


def _newest_in(path: Path) -> int:
    """Looks at the begin of a record, and at each line of a journal."""
    # Should it have become a link or a pipe: neither is a job's own.
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    with os.fdopen(os.open(path, flags), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            return FIRST
        content = file.read(_MOST_BYTES if path.suffix == ".jsonl" else _HEAD_BYTES)
    formats = (
        check_format(max(FIRST, int(found[1])), path, found[2])
        for found in _LINE.finditer(content)
    )
    return max(formats, default=FIRST)


def unstamp(content: Any, place: Path | str) -> tuple[Any, int]:
    """Returns what a record says without its format, and the format.

    Raises:
        NewerRecordError: A later release wrote it.
        ShapeError: Its format is none.
    """
    if not isinstance(content, dict):
        return content, FIRST
    rest = {k: v for k, v in content.items() if k not in (_KEY, _RELEASE)}
    release = content.get(_RELEASE)
    by = release if isinstance(release, str) and _RELEASES.fullmatch(release) else None
    return rest, check_format(content.get(_KEY, FIRST), place, by)


def read_record(
    path: Path,
    shape: Any,
    *,
    upgrade: Upgrade | None = None,
    limit: int = LIMIT,
    advice: str = "",
) -> Any:
    """Reads a record and checks it.

    Args:
        path: The file.
        shape: What it holds, see `conform`.
        upgrade: What becomes of one of an earlier format.
        limit: Bytes that it may have.
        advice: What to do about a damaged one, a sentence.

    Returns:
        What `conform` returns.

    Raises:
        FileNotFoundError: It is absent.
        NewerRecordError: A later release wrote it.
        RecordError: It is anything but such a file.
    """
    content = read_bytes(path, limit=limit, advice=advice)
    try:
        return parse_record(content, shape, place=path, upgrade=upgrade)
    except ValueError as error:
        raise RecordError(path, str(error), advice) from error


def parse_record(
    content: bytes, shape: Any, *, place: Path | str, upgrade: Upgrade | None = None
) -> Any:
    """Returns what the text of a record says, see `read_record`.

    Raises:
        NewerRecordError: A later release wrote it.
        ValueError: It is no record.
    """
    plain, found = unstamp(parse_json(content), place)
    if upgrade is not None and found < FORMAT:
        plain = upgrade(plain, found)
    return conform(plain, shape)


def read_json(path: Path, shape: Any, *, limit: int = LIMIT, advice: str = "") -> Any:
    """Reads a JSON file that is none of this project's records; see `read_record`."""
    content = read_bytes(path, limit=limit, advice=advice)
    try:
        return conform(parse_json(content), shape)
    except ValueError as error:
        raise RecordError(path, str(error), advice) from error


def read_bytes(path: Path, *, limit: int = LIMIT, advice: str = "") -> bytes:
    """Returns the content of an ordinary file; see `read_record`."""
    try:
        with open_file(path) as file:
            size = os.fstat(file.fileno()).st_size
            # One byte more tells of a file that grows.
            content = file.read(limit + 1) if size <= limit else b""
    except RecordError as error:
        raise RecordError(path, error.problem, advice) from error
    if size > limit or len(content) > limit:
        allowed = f"more than {limit / _MEBIBYTE:g} MiB are no record of this project"
        raise RecordError(path, f"it has {size:,} bytes; {allowed}", advice)
    return content


def open_file(path: Path) -> BufferedReader:
    """Opens an ordinary file for reading, without waiting for anything.

    A link counts when it leads to a file in the same folder or below.

    Raises:
        FileNotFoundError: It is absent.
        RecordError: It is a pipe, a device, a folder, a link that leads elsewhere, or
            cannot be read.
    """
    try:
        real = resolve_inside(path.parent, path.name)
        # A pipe without this flag waits for a writer, perhaps for ever.
        descriptor = os.open(real, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OutsideError as error:
        raise RecordError(path, "it is a link that leads out of its folder") from error
    except (FileNotFoundError, NotADirectoryError) as error:
        raise FileNotFoundError(error.errno, error.strerror, str(path)) from error
    except OSError as error:
        raise RecordError(path, error.strerror or str(error)) from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise RecordError(path, "it is no ordinary file")
    return os.fdopen(descriptor, "rb")


def parse_json(content: bytes | str) -> Any:
    """Returns what a JSON text says.

    Python's additions NaN and Infinity are accepted: metrics may be such.

    Raises:
        ValueError: It is no JSON in UTF-8, says a key twice or is nested too deep.
    """
    text = content if isinstance(content, str) else content.decode("utf-8")
    try:
        return json.loads(text, object_pairs_hook=_refuse_twice)
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error


def resolve_inside(folder: Path, name: Path | str) -> Path:
    """Returns where a path leads, links followed; it need not exist.

    Args:
        folder: Where it must lead into.
        name: The path; a relative one starts in `folder`.

    Raises:
        OutsideError: It leads elsewhere.
    """
    try:
        root = os.path.realpath(folder)
        real = os.path.realpath(os.path.join(folder, name))  # noqa: PTH118
    except ValueError as error:  # a zero byte
        raise OutsideError(f"{str(name)!r} is no path") from error
    if real != root and not Path(real).is_relative_to(root):
        raise OutsideError(f"{str(name)!r} lies outside of {folder}")
    return Path(real)


def leads_inside(folder: Path, name: Path | str) -> bool:
    """Tells whether a path leads into a folder, or is it; see `resolve_inside`."""
    try:
        resolve_inside(folder, name)
    except OutsideError:
        return False
    return True


def refuse_links(folder: Path) -> None:
    """Looks through a folder that is about to be sent or copied as a whole.

    Raises:
        OutsideError: Something in it is neither an ordinary file nor a folder.
    """
    for path, folders, files in os.walk(folder):
        for name in (*folders, *files):
            place = Path(path, name)
            mode = place.lstat().st_mode
            if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
                raise OutsideError(f"{place} is a link or no ordinary file")


def _refuse_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ShapeError("it says a key twice")
    return found
