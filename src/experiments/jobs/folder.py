"""The folder of a job: which one it is, and which process works in it."""

import os
import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypedDict

from filelock import FileLock, Timeout

from experiments import job_files
from experiments.errors import ExperimentError
from experiments.records import (
    NewerRecordError,
    RecordError,
    leads_inside,
    read_record,
    refuse_newer_in,
    write_record,
)


class _Holder(TypedDict):
    pid: int
    host: str
    since: str


class JobHeldError(ExperimentError):
    """Another process works on the same job."""


def choose_folder(folder: Path, *, fresh: bool) -> Path:
    """Returns the folder to work in: the newest attempt, or a new one.

    Args:
        folder: Of the first attempt; later ones end in -2, -3, ...
        fresh: Start anew although there is an attempt.
    """
    pattern = re.compile(re.escape(folder.name) + r"-(\d+)")
    siblings = folder.parent.iterdir() if folder.parent.is_dir() else ()
    matches = [pattern.fullmatch(path.name) for path in siblings]
    last = max([int(match[1]) for match in matches if match], default=1)
    if fresh:
        last = last + 1 if folder.exists() or last > 1 else 1
    return folder if last == 1 else folder.with_name(f"{folder.name}-{last}")


def refuse_outer_links(folder: Path, *, depth: int) -> None:
    """Looks through a folder in which a job is to be continued.

    Args:
        folder: Of a job or a sweep; it need not exist.
        depth: How many levels to look at: what is written by its name alone.

    Raises:
        ExperimentError: A link in it leads out of it: who works there would read,
            write and remove something elsewhere.
    """
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.is_symlink():
            if not leads_inside(folder, path.name):
                raise ExperimentError(
                    f"{path} is a link that leads out of its folder. Remove it, or "
                    "start anew in another folder: fresh=true"
                )
        elif depth > 1 and path.is_dir():
            refuse_outer_links(path, depth=depth - 1)


def refuse_newer_records(folder: Path, *, depth: int = 1) -> None:
    """Looks through a folder in which a job is to be continued.

    Args:
        folder: Of a job or a sweep; it need not exist.
        depth: 2 for a sweep, whose jobs have folders in it.

    Raises:
        NewerRecordError: A later release has worked there. Nothing is written yet.
    """
    refuse_newer_in(folder)
    for path in folder.glob(f"*/{job_files.LOCK}") if depth > 1 else ():
        refuse_newer_records(path.parent, depth=depth - 1)


@contextmanager
def claim_folder(folder: Path) -> Iterator[None]:
    """Holds a job's folder for this process; the hold ends with it, however it ends.

    Raises:
        JobHeldError: Another process holds it.
        ExperimentError: Its lock is no file that can be locked.
    """
    lock = FileLock(folder / job_files.LOCK, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise JobHeldError(
            f"{folder} is being worked on by {describe_holder(folder)}. Wait for it, "
            "stop it, or start anew in another folder: fresh=true"
        ) from None
    except OSError as error:
        raise ExperimentError(
            f"{folder / job_files.LOCK} cannot be locked: {error.strerror or error}. "
            "Remove it if it is no ordinary file, or choose another output_dir."
        ) from error
    try:
        _write_holder(folder)
        yield
    finally:
        with suppress(OSError):
            (folder / job_files.HOLDER).unlink()
        lock.release()


def list_job_folders(folder: Path) -> list[Path]:
    """Returns the folders directly below `folder` in which a job was started."""
    return sorted(path.parent for path in folder.glob(f"*/{job_files.LOCK}"))


def is_held(folder: Path) -> bool:
    """Tells whether a process works in `folder` at this moment."""
    if not (folder / job_files.LOCK).exists():
        return False
    lock = FileLock(folder / job_files.LOCK, timeout=0)
    try:
        with lock:
            return False
    except Timeout:
        return True
    except OSError:  # no lock: whoever wants to work here is told
        return False


def _write_holder(folder: Path) -> None:
    holder = {
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "since": time.strftime("%Y-%m-%d %H:%M:%S"),
    }
    with suppress(OSError):  # a full disk; the lock holds without it
        write_record(folder / job_files.HOLDER, holder)


def read_host(folder: Path) -> str | None:
    """Returns the machine whose process holds a folder, or held it when it died."""
    holder = _read_holder(folder)
    return None if holder is None else holder["host"]


def describe_holder(folder: Path) -> str:
    """Returns which process works in a folder that is held, in words."""
    holder = _read_holder(folder)
    if holder is None:
        return "another process"
    return f"process {holder['pid']} on {holder['host']} since {holder['since']}"


def _read_holder(folder: Path) -> _Holder | None:
    try:
        found: _Holder = read_record(folder / job_files.HOLDER, _Holder)
    except (OSError, RecordError, NewerRecordError):
        return None
    return found
