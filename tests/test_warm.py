"""A fork is to its script what a new interpreter is."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.warm import run_to_the_end, start_command

SCRIPT = """
import os, signal, sys
print("late", file=sys.stderr)
print(__name__, __file__, sys.argv, sys.orig_argv, sys.path[:2], os.getcwd())
print(os.environ["OWN"], os.environ.get("HOME"), signal.getsignal(signal.SIGINT))
print("sitecustomize" in sys.modules, sys.modules["sitecustomize"].MARK)
sys.exit(7)
"""


def test_script_sees_the_same(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text("MARK = 'found'")
    (tmp_path / "script.py").write_text(SCRIPT)
    environment = {"OWN": "yes", "PYTHONPATH": str(tmp_path / "site")}
    warm, cold = (
        run_to_the_end(
            [sys.executable, "script.py", "a=b", "-m"],
            cold=cold,
            cwd=tmp_path,
            env=environment,
        )
        for cold in (False, True)
    )
    assert warm.stdout == cold.stdout
    assert "found" in warm.stdout
    assert (warm.stderr, warm.returncode) == (cold.stderr, cold.returncode)
    assert (warm.stderr, warm.returncode) == ("late\n", 7)


def test_code_sees_the_same() -> None:
    code = "import sys; print(__name__, sys.argv, repr(sys.path[0])); raise ValueError"
    warm, cold = (
        run_to_the_end([sys.executable, "-c", code, "a=b"], cold=cold)
        for cold in (False, True)
    )
    assert warm.stdout == cold.stdout == "__main__ ['-c', 'a=b'] ''\n"
    assert warm.returncode == cold.returncode == 1


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_signal_ends_the_command_and_its_group(
    number: signal.Signals, tmp_path: Path
) -> None:
    (tmp_path / "script.py").write_text(
        "import time; print('up', flush=True); time.sleep(60)"
    )
    process = start_command(
        [sys.executable, "script.py"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        assert process.poll() is None
        os.killpg(process.pid, number)
        assert process.wait(10) == -number
