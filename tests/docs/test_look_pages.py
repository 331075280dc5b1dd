"""The commands of the pages that look at a result, run where all that they name is."""

import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.conftest import ROOT
from tests.docs.pages import Command, list_commands
from tests.tasks.photographs import cut_photographs
from tests.warm import run_to_the_end

PAGES = ("evaluate", "predict", "explain", "compare", "audit")
NETWORK = ["model=resnet", "model.depth=null", "model.blocks=[1]", "model.block=basic"]
SMALL = [*NETWORK, "model.width=8", "dataset.image_size=32", "trainer.batch_size=4"]
BRIEF = ["schedule=constant", "trainer.epochs=1", "trainer.max_steps_per_epoch=2"]
FOLDER = ["dataset=folder", "dataset.path=photos"]
# What is trained for minutes, and what is not here: other pages and tests have it.
LEFT_OUT = re.compile(
    r"model=resnet|models:/|digits\.keras|outputs/|dataset\.folds|typo\.csv|task\.pair"
    r"|photos run_id=last"
)


def run(folder: Path, *words: str) -> CompletedProcess[str]:
    return run_to_the_end([sys.executable, str(ROOT / "run.py"), *words], cwd=folder)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with photographs, a sweep of two seeds, a run and its model."""
    folder = tmp_path_factory.mktemp("look")
    for number, name in enumerate(("photos", "new_photos")):
        cut_photographs(folder / name, {"cup": 9, "flower": 9}, seed=number)
    images = sorted((folder / "photos" / "cup").glob("*.jpg"))
    for name, image in zip(("photo.jpg", "a.jpg", "b.jpg"), images, strict=False):
        shutil.copy(image, folder / name)
    (folder / "more").mkdir()
    shutil.copy(images[0], folder / "more" / "d.jpg")
    (folder / "list.txt").write_text("a.jpg\nmore/d.jpg\n")
    for words in (["-m", "seed=0,1"], ["seed=2"]):
        done = run(folder, *words, *FOLDER, *SMALL, *BRIEF, "gpu=cpu")
        assert done.returncode == 0, done.stderr
    model = next((folder / "outputs" / "artifacts").rglob("model.keras"))
    shutil.copy(model, folder / "model.keras")
    return folder


@pytest.fixture(scope="module")
def run_id(place: Path) -> str:
    """The first characters of a run's id."""
    listed = run(place, "task=list", "task.format=json", "task.kind=run").stdout
    found = re.search(r'"run_id": "(\w{8})', listed)
    assert found
    return found[1]


def list_run() -> Iterator[Command]:
    for page in PAGES:
        for command in list_commands(ROOT / "docs" / f"{page}.md"):
            if not LEFT_OUT.search(command.line):
                yield command


@pytest.mark.parametrize("command", list(list_run()), ids=lambda c: c.line)
def test_command_of_a_page_does_what_it_says(
    place: Path, run_id: str, command: Command
) -> None:
    words = [word.replace("30d44f2b", run_id) for word in command.arguments]
    done = run(place, *words)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert "outputs/" in done.stdout  # where what it has written is
