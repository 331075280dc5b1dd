import os
import subprocess
import sys
from pathlib import Path

import pytest

from experiments.command.config_folders.first_project import write_project
from experiments.errors import ConfigError
from tests.conftest import ROOT


def test_each_occurrence_of_the_name_is_the_new_one(tmp_path: Path) -> None:
    folder = tmp_path / "flowers"
    files = write_project(folder)
    assert {path.relative_to(folder) for path in folder.rglob("*.*")} >= set(files) - {
        Path("Makefile")
    }
    assert {path.name for path in folder.iterdir()} == {
        ".gitignore",
        "Makefile",
        "README.md",
        "conf",
        "flowers",
        "tests",
    }
    for path in files:
        text = (folder / path).read_text()
        assert "my_project" not in text
        original = (
            ROOT / "examples/my_project" / str(path).replace("flowers", "my_project")
        )
        assert text == original.read_text().replace("my_project", "flowers")


def test_readme_has_ten_lines(tmp_path: Path) -> None:
    write_project(tmp_path / "flowers")
    assert len((tmp_path / "flowers/README.md").read_text().splitlines()) <= 10


def test_empty_folder_is_taken(tmp_path: Path) -> None:
    (tmp_path / "flowers").mkdir()
    write_project(tmp_path / "flowers")
    assert (tmp_path / "flowers/flowers/model.py").is_file()


@pytest.mark.parametrize("kind", ["file", "folder", "link"])
def test_what_is_there_already_is_refused_and_kept(tmp_path: Path, kind: str) -> None:
    place = tmp_path / "flowers"
    if kind == "folder":
        place.mkdir()
        (place / ".notes").write_text("mine")
    elif kind == "file":
        place.write_text("mine")
    else:
        place.symlink_to(tmp_path / "nowhere")
    with pytest.raises(ConfigError, match="Name another one") as caught:
        write_project(place)
    assert len(caught.value.problems) == 1
    left = [path.name for path in tmp_path.rglob("*")]
    assert left == (["flowers", ".notes"] if kind == "folder" else ["flowers"])


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("my-flowers", "experiments init my_flowers"),
        ("2024", "experiments init my_project"),
        ("blümchen", "experiments init my_project"),
        ("class", "experiments init my_project"),
        ("json", "experiments init my_json"),
        ("keras", "experiments init my_keras"),
        ("tests", "experiments init my_tests"),
    ],
)
def test_name_that_cannot_be_imported_is_refused_with_one_that_can(
    tmp_path: Path, name: str, advice: str
) -> None:
    with pytest.raises(ConfigError, match=advice):
        write_project(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="Not a directory"):
        write_project(tmp_path / "file" / "flowers")


def test_tests_of_the_project_pass_as_they_are(tmp_path: Path) -> None:
    write_project(tmp_path / "flowers")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"]
    done = subprocess.run(
        command,
        cwd=tmp_path / "flowers",
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "8 passed" in done.stdout
