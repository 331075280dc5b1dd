import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from experiments.errors import ExperimentError, Preempted
from experiments.interruption import StopRequest
from experiments.jobs.children import child_command as module
from experiments.jobs.children.child_command import run_command

_WAITS = """
import os, signal, sys, threading
asked = threading.Event()
def answer(number, frame):
    with open("asked", "a") as file:
        file.write(f"{number} ")
    asked.set()
signal.signal(signal.SIGINT, answer)
open("ready", "w").close()
while not asked.wait(0.05):
    pass
sys.exit(75)
"""


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Lets the command of this program be some code, in a folder of its own."""
    monkeypatch.setattr(module, "typed_folder", lambda: tmp_path)

    def choose(code: str) -> None:
        monkeypatch.setattr(
            module, "command_words", lambda: [sys.executable, "-S", "-c", code]
        )

    return choose


def test_words_and_environment_reach_the_command_but_not_what_is_its_parents_own(
    script: Callable[[str], None], tmp_path: Path
) -> None:
    script(
        "import os, sys; open('seen', 'w').write(' '.join([*sys.argv[1:], "
        "os.environ['MINE'], str('EXPERIMENTS_SWEEP_FOLDER' in os.environ)]))"
    )
    environment = {**os.environ, "MINE": "yes", "EXPERIMENTS_SWEEP_FOLDER": "/x"}
    run_command(["-m", "seed=1,2"], StopRequest(), environment)
    assert (tmp_path / "seen").read_text() == "-m seed=1,2 yes False"


def test_command_that_fails_is_told_with_its_exit_code(
    script: Callable[[str], None],
) -> None:
    script("raise SystemExit(2)")
    with pytest.raises(ExperimentError, match="exit code 2"):
        run_command([], StopRequest(), os.environ)


def test_wish_to_stop_reaches_the_command_once_and_its_end_is_waited_for(
    script: Callable[[str], None], tmp_path: Path
) -> None:
    script(_WAITS)
    stop = StopRequest()

    def ask() -> None:
        while not (tmp_path / "ready").exists():
            pass
        stop.request("Ctrl-C")

    asking = threading.Thread(target=ask)
    asking.start()
    with pytest.raises(Preempted, match="Ctrl-C"):
        run_command([], stop, os.environ)
    asking.join()
    assert (tmp_path / "asked").read_text() == "2 "
