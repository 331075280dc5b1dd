"""Printed commands, read back by a shell's rules and by Hydra's."""

import shlex
import sys
from pathlib import Path
from typing import Any

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from experiments.config.commands import (
    describe_command,
    describe_output,
    describe_tracking,
)


@pytest.mark.parametrize(
    ("typed", "script"),
    [
        ("run.py", "run.py"),
        ("../checkout/run.py", "../checkout/run.py"),
        ("/a b/run.py", "/a b/run.py"),
        ("/usr/lib/python3/joblib/externals/loky/worker.py", "run.py"),
    ],
)
def test_command_names_the_script_as_it_was_typed(
    typed: str, script: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", [typed, "seed=1"])
    command = describe_command("task=sync", "name=a b")
    assert shlex.split(command) == ["python", script, "task=sync", "name=a b"]


def test_usual_folder_is_not_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert describe_output("outputs") == []
    assert describe_output(tmp_path / "outputs") == []


@pytest.mark.parametrize(
    "name", ["elsewhere", "with space", "it's", "a,b", "a=b", "(x)", "{y}", "ü", "$z"]
)
def test_other_folder_comes_back_as_it_is(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (word,) = shlex.split(describe_command(*describe_output(name)))[2:]
    parsed = OverridesParser.create().parse_override(word)
    assert (parsed.key_or_group, parsed.value()) == (
        "output_dir",
        str(tmp_path / name),
    )


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ((), ["tracking.uri=http://host:5000"]),
        (("seed=1",), ["tracking.uri=http://host:5000"]),
        (
            ("tracking=server", "seed=1", "tracking.uri=http://host:5000"),
            ["tracking=server", "tracking.uri=http://host:5000"],
        ),
        (("trackings=3", "++tracking.uri=http://h"), ["++tracking.uri=http://h"]),
    ],
)
def test_store_is_named_as_it_was_typed_or_by_its_address(
    compose: Any, typed: tuple[str, ...], words: list[str]
) -> None:
    run = compose("tracking=server", "tracking.uri=http://host:5000")
    assert describe_tracking(run.tracking, typed) == words


def test_usual_store_is_not_named(compose: Any) -> None:
    assert describe_tracking(compose().tracking, ["seed=1"]) == []
