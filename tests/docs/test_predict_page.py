"""The files that the commands of the page mean."""

from pathlib import Path
from typing import Any

import pytest

from experiments.data.files.asked.inputs import check_inputs, list_inputs
from experiments.evaluation.reporting.answer_table import name_columns
from tests.conftest import ROOT
from tests.docs.pages import Command, list_commands

PAGE = ROOT / "docs" / "predict.md"
BELOW = ["photos/a.jpg", "photos/in/b.jpg"]
MEANT = {
    "photos/": [*BELOW[:1], "photos/c.png", *BELOW[1:]],
    "[a.jpg,more/]": ["a.jpg", "more/d.webp"],
    "photos/**/*.jpg": BELOW,
    "list.txt": ["a.jpg", "more/d.webp"],
    "photo.jpg": ["photo.jpg"],
}
COMMANDS = list(list_commands(PAGE))


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in {name for names in MEANT.values() for name in names}:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "list.txt").write_text("a.jpg\nmore/d.webp\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def find_input(command: Command) -> str:
    (word,) = (word for word in command.arguments if word.startswith("input="))
    return word.removeprefix("input=")


def test_page_shows_each_way_to_name_files() -> None:
    assert sorted(map(find_input, COMMANDS)) == sorted(MEANT)
    # Behind a pipe, and so not among them.
    assert "| python run.py task=predict run_id=last input=-" in PAGE.read_text()


@pytest.mark.parametrize("command", COMMANDS, ids=find_input)
def test_command_means_the_files_that_the_page_says(
    check: Any, place: Path, command: Command
) -> None:
    run = check(*command.arguments).run
    check_inputs(run.inputs())
    found = list_inputs(run.inputs(), (), folder=place)
    names = [str(Path(path).relative_to(place)) for path in found]
    assert names == MEANT[find_input(command)]


def test_page_names_the_keys_and_the_columns(check: Any) -> None:
    text = PAGE.read_text()
    options = check("task=predict").run.task.arguments()
    for key, value in options.items():
        assert f"`task.{key}" in text
        assert key == "format" or f" {value}" in text.split(f"`task.{key}`")[1][:90]
    for column in name_columns(2):
        assert f"`{column}`" in text
