"""The Tab key in the shells themselves, each in a terminal."""

import fcntl
import os
import pty
import re
import select
import shutil
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import ROOT

_SECONDS = 60
_COMMANDS = {
    "bash": ["bash", "--norc", "--noprofile", "-i"],
    "zsh": ["zsh", "-f", "-i"],
    "fish": ["fish", "--no-config", "-i"],
}
_INSTALL = {
    "bash": 'eval "$({} -sc install=bash)"',
    "zsh": 'eval "$({} -sc install=zsh)"',
    "fish": "{} -sc install=fish | source",
}
_PROMPT = {
    "bash": "PS1='go''> '",
    "zsh": "PS1='go''> '",
    "fish": "function fish_prompt; echo -n 'go''> '; end",
}
_MOVES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]|\x1b\(B|\x1b[=>]|\r")
SHELLS = [
    pytest.param(
        name,
        marks=pytest.mark.skipif(
            shutil.which(name) is None, reason=f"{name} is absent"
        ),
    )
    for name in _COMMANDS
]


class Terminal:
    """A shell at the other end of a terminal."""

    def __init__(self, main: int) -> None:
        self._main, self._read = main, ""

    def type(self, text: str) -> None:
        os.write(self._main, text.encode())

    def wait_for(self, text: str) -> None:
        """Reads until a text is on the screen, whatever its colours."""
        end = time.monotonic() + _SECONDS
        while text not in self._read:
            left = end - time.monotonic()
            if left < 0 or not select.select([self._main], [], [], left)[0]:
                pytest.fail(f"There is no {text!r} in {self._read!r}")
            shown = os.read(self._main, 65536).decode(errors="replace")
            self._read = re.sub(
                r"\x1b\[[0-9;?]*[a-zA-Z]|\x1b[=>]", "", self._read + shown
            )
        self._read = self._read.partition(text)[2]


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder with the command as an installation makes it, and `python`."""
    folder = tmp_path / "bin"
    folder.mkdir()
    command = folder / "experiments"
    lines = f"#!{sys.executable}\nimport sys\nfrom experiments.console import main\n"
    command.write_text(f"{lines}sys.exit(main())\n")
    command.chmod(0o755)
    python = folder / "python"  # a link would not know its environment
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    return folder


@contextmanager
def open_terminal(shell: str, program: str, programs: Path) -> Iterator[Terminal]:
    """Opens a shell that has learnt to complete a program."""
    main, other = pty.openpty()
    process = subprocess.Popen(
        _COMMANDS[shell],
        stdin=other,
        stdout=other,
        stderr=other,
        cwd=programs.parent,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        env={
            **os.environ,
            "PATH": f"{programs}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT / "src"),
            "TERM": "dumb" if shell != "fish" else "xterm",
            "HOME": str(programs.parent),
        },
    )
    os.close(other)
    terminal = Terminal(main)
    try:
        terminal.type(f"{_INSTALL[shell].format(program)}; {_PROMPT[shell]}\n")
        terminal.wait_for("go> ")  # what is typed before it is no Tab to zsh
        yield terminal
    finally:
        process.kill()
        process.wait()
        os.close(main)


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("program", ["experiments", f"python {ROOT / 'run.py'}"])
@pytest.mark.parametrize(
    ("begun", "rest"),
    [
        ("trainer.prec", "ision="),
        ("trainer.precision=mixed_b", "float16 "),
        ("optimizer=adam,rm", "sprop "),
        ("seed=1 hydra/sweeper=ker", "as_tuner "),
    ],
)
def test_tab_completes_the_word(
    programs: Path, shell: str, program: str, begun: str, rest: str
) -> None:
    with open_terminal(shell, program, programs) as terminal:
        terminal.type(f"{program} {begun}")
        terminal.wait_for(begun)
        terminal.type("\t")
        terminal.wait_for(rest)


@pytest.mark.parametrize("shell", SHELLS)
def test_other_scripts_are_completed_as_before(programs: Path, shell: str) -> None:
    (programs.parent / "other.py").write_text("raise SystemExit('ran')")
    (programs.parent / "precious.txt").touch()
    with open_terminal(shell, f"python {ROOT / 'run.py'}", programs) as terminal:
        terminal.type("python other.py preci")
        terminal.wait_for("preci")
        terminal.type("\t")
        terminal.wait_for("ous.txt")


def test_bash_completes_other_programs_as_before(programs: Path) -> None:
    script = '{}; echo "$COMP_WORDBREAKS" | grep -c ='
    install = _INSTALL["bash"].format("experiments")
    done = subprocess.run(
        ["bash", "--norc", "-c", script.format(install)],
        env={**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "1\n"
