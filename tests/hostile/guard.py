"""Watches what a process opens, changes and starts; needs nothing but Python.

A command may read the interpreter's own files, the project's and those it was given,
and may write below its folder alone. What goes further is noted and does not happen.
"""

import errno
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
# What these do to their first two arguments, or to one, needs the right to write.
_CHANGING = {
    "os.remove": 1,
    "os.rmdir": 1,
    "os.mkdir": 1,
    "os.truncate": 1,
    "os.chmod": 1,
    "os.chown": 1,
    "os.utime": 1,
    "os.setxattr": 1,
    "os.rename": 2,
    "os.link": 2,
    "os.symlink": 2,
    "shutil.rmtree": 1,
    "shutil.move": 2,
    "shutil.chown": 1,
    "tempfile.mkstemp": 1,
    "tempfile.mkdtemp": 1,
}
_OF_LINKS = {"os.remove", "os.rename", "os.link", "os.symlink", "os.rmdir"}
_LISTING = {"os.listdir", "os.scandir", "glob.glob"}
_STARTING = (
    *("os.system", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn"),
    *("subprocess.Popen", "pty.spawn", "webbrowser.open", "os.startfile", "os.kill"),
    *("socket.connect", "socket.bind", "socket.sendto", "socket.getaddrinfo"),
    *(
        "socket.gethostbyname",
        "socket.gethostbyaddr",
        "urllib.Request",
        "ctypes.dlopen",
    ),
)
# What the interpreter and the libraries look at of the machine.
_MACHINE = ("/proc/", "/sys/", "/etc/", "/usr/", "/lib", "/dev/null", "/dev/urandom")


class Guard:
    """Notes what a command does that it may not.

    Args:
        folder: What a command was given, all of it; absolute.
        canary: A part of it that it was not given.
        readable: Other folders that may be read.
        programs: Names of those that may be started.
        report: File that is told of each violation as well.
    """

    def __init__(
        self,
        folder: Path,
        canary: Path,
        readable: Sequence[Path],
        *,
        programs: Sequence[str] = (),
        report: Path | None = None,
    ) -> None:
        self.violations: list[str] = []
        self.typed = ""
        self._folder = _real(folder)
        self._canary = _real(canary)
        self._readable = tuple(_real(place) + os.sep for place in readable)
        self._programs = tuple(programs)
        self._report = report
        self._busy = False
        self.on = False

    def install(self) -> None:
        """Watches from here on; there is no way back."""
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: Any) -> None:
        if not self.on or self._busy:
            return
        self._busy = True
        try:
            self._judge(event, arguments)
        finally:
            self._busy = False

    def _judge(self, event: str, arguments: Any) -> None:
        if event == "open":
            path, _, flags = arguments
            self._check(event, path, writing=bool((flags or 0) & _WRITING))
        elif event in _CHANGING:
            for path in arguments[: _CHANGING[event]]:
                # A link is changed itself, not what it leads to.
                self._check(event, path, writing=True, follow=event not in _OF_LINKS)
        elif event in _LISTING:
            self._check(event, arguments[0], writing=False)
        elif event.startswith(_STARTING) and not self._may_start(event, arguments):
            self._refuse(f"{event} {arguments!r}"[:300])

    def _may_start(self, event: str, arguments: Any) -> bool:
        if event == "ctypes.dlopen":  # itself, or a library of the interpreter
            return arguments[0] is None or self._programs != ()
        if event.startswith("subprocess"):
            return Path(os.fsdecode(arguments[0])).name in self._programs
        return False

    def _check(
        self, event: str, given: Any, *, writing: bool, follow: bool = True
    ) -> None:
        if given is None or isinstance(given, int):
            return
        try:
            name = os.fsdecode(given)
        except (TypeError, ValueError):
            return
        parent, last = os.path.split(name.rstrip(os.sep))
        path = _real(name) if follow else os.path.join(_real(parent), last)  # noqa: PTH118
        inside = _is_below(path, self._folder) and not _is_below(path, self._canary)
        if inside or path in ("/dev/null", "/dev/tty"):
            return
        if not writing and (path + os.sep).startswith((*self._readable, *_MACHINE)):
            return
        if event in _LISTING and self._is_beside_typed(path):
            return
        if self._was_typed(os.fsdecode(given), path):
            if writing:  # what a person asks for is no fault, and not done here
                raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(given))
            return
        self._refuse(f"{event} {'for writing ' if writing else ''}{given!r}"[:300])

    def _was_typed(self, given: str, path: str) -> bool:
        """Tells whether a path, or a folder that it lies in, stands in the line."""
        if _is_below(path, self._canary):
            return False
        places = [*Path(path).parents, Path(path), Path(given), *Path(given).parents]
        return any(len(p.parts) > 1 and str(p) in self.typed for p in places)

    def _is_beside_typed(self, path: str) -> bool:
        """Tells whether a folder is the nearest that is there of one that is not.

        It is listed to tell what may have been meant.
        """
        typed = [Path(name) for name in re.findall(r"/[^\s=,'\"\[\]]+", self.typed)]
        nearest = [next(p for p in name.parents if p.is_dir()) for name in typed]
        return not _is_below(path, self._canary) and Path(path) in nearest

    def _refuse(self, what: str) -> None:
        self.violations.append(what)
        if self._report is not None:
            with self._report.open("a") as file:
                file.write(f"{what}\n")
        raise PermissionError(errno.EPERM, f"the guard refuses {what}")


def _real(path: Any) -> str:
    return os.path.realpath(path)


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder + os.sep)
