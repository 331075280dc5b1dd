"""Where files go; a reader finds them whole: as they were, or as they are now."""

import errno
import json
import os
import stat
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
    temporary = path.with_name(f"unfinished-{path.name}")
    text = json.dumps(content, indent=indent) + "\n"
    with open_new(temporary) as file:
        file.write(text.encode())
    temporary.replace(path)


def open_new(path: Path) -> BinaryIO:
    """Opens a file for writing, a new one also where something has that name.

    What a crash has left there is removed; a link would lead the writer elsewhere.
    """
    path.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    return os.fdopen(os.open(path, flags, 0o666), "wb")


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
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is no ordinary file", str(path))
    return descriptor
