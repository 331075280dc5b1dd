"""What people type who know other tools, and the whole answer that they get.

`mistakes.txt` is the table: a command line as typed behind `python run.py`, and below
it all that the screen shows. It is there to be read.
"""

import contextlib
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from omegaconf import DictConfig

from experiments import launch
from experiments.command.plan import check_command_line
from experiments.errors import ConfigError
from experiments.launch import command_line, execution
from tests.conftest import CONF

pytestmark = pytest.mark.usefixtures("own_log")
_TABLE = Path(__file__).with_name("mistakes.txt")
_LIBRARIES = re.compile(
    r"hydra|omegaconf|argparse|antlr|grammar|yaml\.|keras|mlflow|tensorflow", re.I
)
# Keys, flags and files of this project that a library has given its name.
_OWN_NAMES = re.compile(
    r"hydra[./][\w.]+|--hydra-help|job, hydra, all|keras_tuner|\.keras\b"
    r"|keras_application"
)
_MOST_SENTENCES = 4
_UNKNOWN = re.compile(r"is not a key|must be one of|is no key=value|is no flag")


@cache
def read_table() -> dict[str, str]:
    """Returns the answers by what was typed."""
    blocks = re.split(r"^\$ python run\.py ?", _TABLE.read_text("utf-8"), flags=re.M)
    pairs = (block.partition("\n") for block in blocks[1:])
    return {line: answer.rstrip() for line, _, answer in pairs}


@pytest.fixture
def answer(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> Any:
    """Types a command line; returns what is shown. Nothing is started."""

    def refuse(*_: Any) -> int:
        pytest.fail("is taken for no mistake")

    def answer(line: str) -> str:
        argv = ["run.py", *shlex.split(line)]
        monkeypatch.setattr(sys, "argv", argv)
        capfd.readouterr()
        with contextlib.suppress(SystemExit):  # `--version`
            launch.main(_never, config_path=str(CONF))
        shown = capfd.readouterr()
        return (shown.out + shown.err).rstrip()

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(command_line, "guard_screen", lambda: None)
    monkeypatch.setattr(execution, "choose_place", refuse)
    # Told after a second, which a slow machine may take.
    silent = contextlib.nullcontext(lambda: None)
    monkeypatch.setattr("experiments.command.plan.show_progress", lambda _: silent)
    return answer


def _never(_: DictConfig) -> None:
    pytest.fail("nothing may run")


def test_table_has_a_hundred_lines_each_once() -> None:
    typed = re.findall(r"^\$ (.*)$", _TABLE.read_text("utf-8"), re.M)
    assert len(typed) == len(set(typed)) == len(read_table())
    assert len(typed) >= 100


@pytest.mark.parametrize("line", read_table())
def test_mistyped_line_is_answered_as_the_table_says(answer: Any, line: str) -> None:
    assert answer(line) == read_table()[line]


@pytest.mark.parametrize("line", read_table())
def test_answer_names_no_library_and_is_short(line: str) -> None:
    told = read_table()[line]
    assert "Traceback" not in told
    assert not _LIBRARIES.search(_OWN_NAMES.sub("", told))
    for problem in told.splitlines():
        assert len(re.findall(r"[.?](?: |$)", problem)) <= _MOST_SENTENCES, problem
        assert len(problem) < 650, problem  # the names of all networks are 470


def _list_suggestions() -> Iterator[tuple[str, str]]:
    for line, told in read_table().items():
        for word in re.findall(r"Did you mean `([^`]+)`", told):
            if "=" in word and "..." not in word:
                yield line, word


@pytest.mark.parametrize(("line", "word"), list(_list_suggestions()))
def test_what_is_suggested_is_taken_when_a_shell_has_read_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, line: str, word: str
) -> None:
    monkeypatch.chdir(tmp_path)
    bash = subprocess.run(
        ["bash", "-c", f"printf '%s\\0' {word}"], capture_output=True, check=True
    )
    words = bash.stdout.decode().split("\0")[:-1]
    told = rf"`{re.escape(word)}`\? It is a key of (\w+=\w+)"
    owner = re.search(told, read_table()[line])
    words += [owner[1]] if owner else []
    # A key of the task that was typed.
    is_of_task = "." not in word or words[0].startswith("task.")
    words += re.findall(r"^task=\w+", line) if is_of_task and not owner else []
    words += re.findall(r"hydra/\w+=\w+", line) if "hydra." in word else []
    words += ["dataset=folder"] if words[0].startswith("dataset.") else []
    problems: list[str] = []
    try:
        check_command_line(words, config_dir=CONF)
    except ConfigError as error:
        problems = [str(problem) for problem in error.problems]
    assert not any(map(_UNKNOWN.search, problems)), problems
