"""Whole commands under the eyes of the guard."""

import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from subprocess import CompletedProcess

from tests.conftest import ROOT
from tests.warm import run_to_the_end

_INJECT = Path(__file__).parent / "inject"
_REPORT = "violations.txt"


def run_guarded(folder: Path, words: Sequence[str]) -> CompletedProcess[str]:
    """Runs a command in `folder/work`.

    Args:
        folder: As `folders.make_folder` makes it.
        words: What stands behind `run.py`.
    """
    (folder / "work").mkdir(exist_ok=True)
    (folder / _REPORT).unlink(missing_ok=True)
    return run_to_the_end(
        [sys.executable, str(ROOT / "run.py"), *words],
        cwd=folder / "work",
        timeout=240,
        env={
            **os.environ,
            "PYTHONPATH": str(_INJECT),
            "HOSTILE_FOLDER": str(folder),
            "HOME": str(folder / "home"),
            "TMPDIR": str(folder / "shared"),
            "XDG_CACHE_HOME": str(folder / "shared"),
        },
    )


def check_end(done: CompletedProcess[str], folder: Path) -> None:
    """Asserts that a command ended with a sentence and touched nothing outside."""
    report = folder / _REPORT
    assert not report.exists(), report.read_text()
    shown = done.stdout + done.stderr
    assert "Traceback" not in shown, shown
    assert "did not foresee" not in shown, shown
    assert done.returncode in (0, 1, 2), shown
    assert re.search(r"\w+ +\w+", shown)
    assert "\x1b" not in shown
