"""Kills its process at a chosen moment; Python imports it first when it is on the path.

`FAULT=event:part:count` names an audit event, a part of its first argument, and which
occurrence of it is the last thing that the process does: `open:checkpoints/:3`.
"""

import os
import signal
import sys

_fault = os.environ.get("FAULT")
if _fault:
    _event, _part, _count = _fault.split(":")
    _left = int(_count)

    def _hook(event: str, arguments: tuple[object, ...]) -> None:
        global _left
        if event == _event and arguments and _part in str(arguments[0]):
            _left -= 1
            if _left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(_hook)
