"""Watches the process of a whole command; what it may not do goes into a file."""

import atexit
import gc
import importlib.util
import os
import sys
import tempfile
from pathlib import Path

_HOSTILE = Path(__file__).parents[1]
_ROOT = _HOSTILE.parents[1]

spec = importlib.util.spec_from_file_location("guard", _HOSTILE / "guard.py")
assert spec is not None
assert spec.loader is not None
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
folder = Path(os.environ["HOSTILE_FOLDER"])
guard = module.Guard(
    folder,
    folder / "canary",
    [Path(sys.prefix), Path(sys.base_prefix), _ROOT],
    programs=("git",),
    report=folder / "violations.txt",
)
guard.typed = " ".join(sys.orig_argv)
guard.install()
guard.on = True
atexit.register(gc.freeze)
tempfile.tempdir = None  # a process that was forked has chosen another one
