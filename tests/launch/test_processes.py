"""A command that starts anew repeats what was typed."""

import sys
from typing import Any

import pytest

from experiments.errors import (
    RestartNeeded,
)
from experiments.launch import processes
from tests.launch.starting import raising, start


def test_restart_repeats_the_command_but_starts_nothing_anew(
    plan: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class ReplacedError(Exception):
        pass

    replaced: list[Any] = []

    def replace(program: str, words: list[str]) -> None:
        replaced.append((program, words))
        raise ReplacedError

    monkeypatch.setattr(processes.os, "execv", replace)
    typed = ["python", "-X", "dev", "run.py", "seed=1", "fresh=true", "--config-dir=a"]
    monkeypatch.setattr(sys, "orig_argv", typed)
    with pytest.raises(ReplacedError):
        start(raising(RestartNeeded("Out of memory.")))
    ((program, words),) = replaced
    assert program == sys.executable
    assert words[1:] == [
        *typed[1:5],
        "fresh=false",
        "--config-dir=a",
    ]
    assert "Out of memory." in capsys.readouterr().err
