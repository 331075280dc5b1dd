"""Reads back what a process has left on disk: as material, which is never obeyed.

Whoever copies a folder of results from elsewhere must not have to trust it. A file is
read when it is an ordinary one in its place and of a sensible size; what stands in it
must have the form in which it was written; and a path in it leads nowhere else.
"""

import json
import os
import stat
from io import BufferedReader
from pathlib import Path
from typing import Any

from experiments.errors import ExperimentError
from experiments.shapes import ShapeError, conform

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


def read_record(path: Path, shape: Any, *, limit: int = LIMIT, advice: str = "") -> Any:
    """Reads a JSON file and checks it.

    Args:
        path: The file.
        shape: What it holds, see `conform`.
        limit: Bytes that it may have.
        advice: What to do about a damaged one, a sentence.

    Returns:
        What `conform` returns.

    Raises:
        FileNotFoundError: It is absent.
        RecordError: It is anything but such a file.
    """
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
        real = resolve_inside(path.parent, path)
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
