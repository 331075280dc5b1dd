"""What the pages tell a reader to type is accepted, or refused as they show."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hydra._internal.utils import get_args_parser

from experiments.errors import ConfigError
from tests.conftest import ROOT
from tests.docs.pages import Command, fenced_blocks, list_commands, list_pages

PAGES = list_pages()
COMMANDS = [command for page in PAGES for command in list_commands(page)]
# Pages that tell of other commands or of none: those of the wheel are run by its own
# tests, and the blocks of Python by those of their page.
OTHERS = (
    "architecture",
    "glossary",
    "install",
    "python",
    "records",
    "security",
    "testing",
)
SHOWN = [command for command in COMMANDS if "--cfg" in command.arguments]


def name(value: Command | Path) -> str:
    if isinstance(value, Path):
        return value.name
    return f"{Path(value.page).stem}: {value.line}"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_no_command_of_a_page_is_overlooked(page: Path) -> None:
    bash = [text for language, text, _ in fenced_blocks(page) if language == "bash"]
    starts = re.findall(r"^(?:\w+=\S+ )*python run\.py", "".join(bash), re.MULTILINE)
    assert len(list(list_commands(page))) == len(starts)
    assert starts or page.stem in OTHERS


@pytest.mark.parametrize("command", COMMANDS, ids=name)
def test_command_is_accepted_or_refused_as_shown(check: Any, command: Command) -> None:
    args = get_args_parser().parse_args(list(command.arguments))
    options: dict[str, Any] = {"multirun": args.multirun}
    if args.config_dir:
        options["extra_config_dir"] = ROOT / args.config_dir
    if not command.is_refused:
        check(*args.overrides, **options)
        return
    with pytest.raises(ConfigError) as error:
        check(*args.overrides, **options)
    assert f"{error.value}\n" == command.screen


@pytest.mark.parametrize("command", SHOWN, ids=name)
def test_printed_config_is_the_one_shown(command: Command) -> None:
    result = subprocess.run(
        [sys.executable, "run.py", *command.arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    # Hydra ends a part of a config with one line break more than the screen has.
    assert result.stdout.rstrip() == command.screen.rstrip()
