"""Lets a trial of a search fail; Python imports it first when it is on the path.

`TRIAL_FAULTS` holds words `kind@event@pattern@count@flag`: at the count-th time that an
audit event of a process, such as `open`, has a first argument that the pattern matches,
the fault of that `kind` happens. With a `flag`, a file, it happens once only: not in
the process that takes the place of a killed one.
"""

import os
import signal
import sys
from fnmatch import fnmatchcase


def _happen(kind: str) -> None:
    if kind == "raise":
        raise RuntimeError("injected\nin two lines")
    if kind == "memory":
        raise MemoryError("injected")
    if kind == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if kind == "stop":
        os.kill(os.getpid(), signal.SIGSTOP)
    if kind == "segfault":
        import ctypes

        ctypes.string_at(0)
    if kind == "hang":
        import time

        while True:
            time.sleep(1)


class _Fault:
    def __init__(self, word: str) -> None:
        self.kind, self.event, self.pattern, count, self.flag = word.split("@")
        self.left = int(count)

    def meet(self, event: str, argument: object) -> None:
        if event != self.event or self.left == 0:
            return
        if not fnmatchcase(str(argument), self.pattern):
            return
        self.left -= 1
        if self.left == 0 and not self._has_happened():
            _happen(self.kind)

    def _has_happened(self) -> bool:
        if not self.flag:
            return False
        try:
            os.close(os.open(self.flag, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return True
        return False


_faults = [_Fault(word) for word in os.environ.get("TRIAL_FAULTS", "").split()]


def _hook(event: str, arguments: tuple[object, ...]) -> None:
    if arguments:
        for fault in _faults:
            fault.meet(event, arguments[0])


if _faults:
    sys.addaudithook(_hook)
