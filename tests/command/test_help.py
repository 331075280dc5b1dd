import shlex
import sys
from pathlib import Path
from typing import Any

import pytest
from hydra._internal.utils import create_config_search_path
from omegaconf import OmegaConf

from experiments.command.composing.loader import ReadOnce
from experiments.command.help import describe_usage
from tests.conftest import CONF


def usage(folder: Path) -> str:
    return describe_usage(CONFIG, ReadOnce(create_config_search_path(str(folder))))


CONFIG = OmegaConf.create({"seed": 0, "model": {"depth": 18, "name": "{braces}"}})


def list_examples() -> list[str]:
    lines = usage(CONF).partition("== Examples ==")[2].splitlines()
    commands = [line.partition("  ")[0] for line in lines]
    commands = [c for c in commands if c.startswith("python run.py") and "=" in c]
    return [c for c in commands if "--shell-completion" not in c]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in (
        "model/resnet50.yaml",
        "model/resnet18.yaml",
        "model/notes.txt",
        "model/parts/hidden.yaml",
        "dataset/digits.yaml",
        "hydra/plain.yaml",
        "config.yaml",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path


def test_groups_and_their_files_are_listed_in_order(folder: Path) -> None:
    head = usage(folder).partition("\n\n== Change")[0]
    assert head.splitlines()[3:] == ["dataset: digits", "model: resnet18, resnet50"]


def test_whole_config_is_shown_as_yaml(folder: Path) -> None:
    page = usage(folder)
    shown = page.partition("group.key=value ==\n")[2].partition("\n== Examples")[0]
    assert OmegaConf.create(shown) == CONFIG


def test_page_of_the_project_names_each_option() -> None:
    lines = usage(CONF).splitlines()
    for group in ("model", "dataset", "experiment"):
        names = sorted(path.stem for path in (CONF / group).glob("*.yaml"))
        assert f"{group}: {', '.join(names)}" in lines


def test_examples_are_typed_as_the_page_was_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "argv", ["/home/ada/venv/bin/experiments", "--help"])
    examples = usage(CONF).partition("== Examples ==\n")[2].splitlines()
    assert {line.partition(" ")[0] for line in examples} == {"experiments"}


def test_page_has_examples_to_check() -> None:
    assert len(list_examples()) >= 4


@pytest.mark.parametrize("command", list_examples())
def test_each_example_is_a_good_command_line(check: Any, command: str) -> None:
    words = shlex.split(command)[2:]
    overrides = [word for word in words if "=" in word]
    assert check(*overrides, multirun="-m" in words).overrides == tuple(overrides)
