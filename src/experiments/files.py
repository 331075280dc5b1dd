"""Where files go; a reader finds them whole: as they were, or as they are now."""

import errno
import json
import os
import shutil
import stat
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO


def cache_folder() -> Path:
    """Returns where this user's machine keeps what can be made again."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "experiments"


def replace_json(path: Path, content: Any, *, indent: int | None = None) -> None:
    """Writes plain data as JSON; a process that dies meanwhile changes nothing.

    Args:
        path: The file.
        content: Plain data.
        indent: Spaces a level; `None` for one line.
    """
    replace_bytes(path, (json.dumps(content, indent=indent) + "\n").encode())


def replace_bytes(
    path: Path, data: bytes, *, shared: bool = False, durable: bool = False
) -> None:
    """Writes a file so that readers see the old or the new one; see `drafting`."""
    draft = drafting(path, shared=shared, durable=durable)
    with draft as place, open_new(place) as file:
        file.write(data)


@contextmanager
def drafting(
    path: Path, *, shared: bool = False, durable: bool = False
) -> Iterator[Path]:
    """Yields where to write a file or a folder, which then gets its name at once.

    A process that dies meanwhile changes nothing at that name, and neither does an
    error, after which nothing is left of the draft.

    Args:
        path: Where it is to be.
        shared: Whether others may write it at the same time. Then each has a draft of
            its own; else there is one, and what a crash has left there is removed.
        durable: Survive a power cut too, which takes a disk some milliseconds.
    """
    name = f".{path.name}.{uuid.uuid4().hex[:8]}.tmp"
    draft = path.with_name(name if shared else f"unfinished-{path.name}")
    _remove(draft)
    try:
        yield draft
        commit_file(draft, path, durable=durable)
    finally:
        _remove(draft)


def commit_file(draft: Path, path: Path, *, durable: bool = False) -> None:
    """Gives a finished draft its name; see `drafting`."""
    if durable:
        _flush(draft)
    draft.replace(path)
    if durable:
        _flush(path.parent)


def open_new(path: Path) -> BinaryIO:
    """Opens a file for writing, a new one also where something has that name.

    What a crash has left there is removed; a link would lead the writer elsewhere.
    """
    path.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    return os.fdopen(os.open(path, flags, 0o666), "wb")


def look_at_ordinary(path: Path) -> os.stat_result:
    """Returns what a disk tells of an ordinary file, which a link may lead to.

    Raises:
        OSError: It is a pipe, a device or a folder, or the disk refuses.
    """
    status = path.stat()
    _refuse_others(status, path)
    return status


def open_own(path: Path, flags: int) -> int:
    """Opens an ordinary file to go on writing in it, and returns its descriptor.

    Args:
        path: The file; made where there is none.
        flags: How to write, such as `os.O_APPEND`.

    Raises:
        OSError: It is a link, a pipe, a device or a folder, or the disk refuses.
    """
    flags |= os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC
    # Neither led elsewhere by a link nor kept waiting by a pipe.
    descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK, 0o644)
    try:
        _refuse_others(os.fstat(descriptor), path)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _refuse_others(status: os.stat_result, path: Path) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "it is no ordinary file", str(path))


def _remove(draft: Path) -> None:
    """Removes what is left of a draft, and what SQLite keeps beside one."""
    if draft.is_dir():
        shutil.rmtree(draft, ignore_errors=True)
    for suffix in ("", "-wal", "-shm", "-journal"):
        with suppress(IsADirectoryError):
            Path(f"{draft}{suffix}").unlink(missing_ok=True)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_inside(root: Path, path: Path) -> None:
    """Removes a file, a link or an empty folder below another folder.

    Whatever becomes of the way meanwhile: no link on it is followed, so that nothing
    outside of `root` can be meant.

    Args:
        root: Trusted; may itself be a link.
        path: Below it, by its name.

    Raises:
        OSError: It is not there, a link stands in its way, or the disk refuses.
        ValueError: By its name it is not below `root`.
    """
    *way, name = path.relative_to(root).parts
    if not name or ".." in (*way, name):
        raise ValueError(f"{path} is not below {root}")
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
    folder = os.open(root, flags)
    try:
        for part in way:
            inner = os.open(part, flags | os.O_NOFOLLOW, dir_fd=folder)
            os.close(folder)
            folder = inner
        mode = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
        remove = os.rmdir if stat.S_ISDIR(mode) else os.unlink
        remove(name, dir_fd=folder)
    finally:
        os.close(folder)
