"""`task=explain` by its real command, on a network that was trained for a step."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest
from PIL import Image

from tests.conftest import ROOT
from tests.drawn_shapes import SHAPES, write_shapes
from tests.tiny import TINY
from tests.warm import run_to_the_end

QUIET = ["gpu=cpu", "tracking=off"]


def run(folder: Path, *words: str) -> CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "run.py"), *words, *QUIET]
    return run_to_the_end(command, cwd=folder)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a trained network, three photographs and a broken one."""
    folder = tmp_path_factory.mktemp("explain")
    done = run(folder, *TINY, "debug=one_step")
    assert done.returncode == 0, done.stderr
    photos = folder / "photos"
    photos.mkdir()
    random = np.random.default_rng(0)
    for name, shape in [("a.jpg", (40, 60, 3)), ("b.png", (20, 20, 4))]:
        pixels = random.integers(0, 256, shape).astype("uint8")
        Image.fromarray(pixels).save(photos / name)
    Image.fromarray(random.integers(0, 256, (9, 9)).astype("uint8")).save(
        photos / "c.gif"
    )
    (photos / "broken.jpg").write_bytes(b"\xff\xd8 no image")
    return folder


@pytest.fixture(scope="module")
def explained(place: Path) -> CompletedProcess[str]:
    """What the command prints for all of the photographs."""
    return run(
        place, "task=explain", "run_id=last", "input=photos", "task.class_name=class_2"
    )


def list_folders(place: Path) -> Iterator[Path]:
    return (place / "outputs" / "runs").glob("explain*")


def test_each_image_has_a_picture_and_all_have_a_page(
    place: Path, explained: CompletedProcess[str]
) -> None:
    assert explained.returncode == 0, explained.stderr
    (folder,) = list_folders(place)
    pictures = sorted(path.name for path in (folder / "explanations").iterdir())
    assert pictures == ["a.png", "b.png", "c.png"]
    assert (folder / "explanation.html").is_file()
    for name in pictures:
        assert str(folder.relative_to(place) / "explanations" / name) in (
            explained.stdout
        )
    last = explained.stdout.splitlines()[-1]
    assert "class activation maps" in last
    assert last.endswith(str(folder.relative_to(place) / "explanation.html"))


def test_unreadable_file_is_told_on_the_screen_and_on_the_page(
    place: Path, explained: CompletedProcess[str]
) -> None:
    (told,) = [
        line
        for line in explained.stdout.splitlines()
        if line.startswith("photos/broken.jpg")
    ]
    (folder,) = list_folders(place)
    assert f"<p>{told}</p>" in (folder / "explanation.html").read_text()


def test_of_many_images_the_first_are_taken_and_it_is_said(place: Path) -> None:
    words = ["input=photos/[abc].*", "task.most=1", "task.method=grad_cam"]
    done = run(place, "task=explain", "run_id=last", *words)
    assert done.returncode == 0, done.stderr
    assert "photos/a.jpg: " in done.stdout
    assert "photos/b.png: " not in done.stdout
    assert "more than 1 image: these are the first ones" in done.stdout
    assert "by Grad-CAM" in done.stdout


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["run_id=last", "task.class_name=Class_3"], 2, "Did you mean `class_3`?"),
        (["run_id=last", "input=photos/broken.jpg"], 1, "no image that can be read"),
        (["run_id=nobody"], 1, "nobody"),
        ([], 2, "run_id is missing."),
    ],
    ids=["class", "image", "run", "no run"],
)
def test_what_cannot_be_explained_is_told_in_a_sentence(
    place: Path, words: list[str], code: int, told: str
) -> None:
    done = run(place, "task=explain", "input=photos/a.jpg", *words)
    assert done.returncode == code
    assert told in f"{done.stdout}{done.stderr}"
    assert "Traceback" not in f"{done.stdout}{done.stderr}"


def test_labels_that_an_image_may_have_several_of_have_a_share_of_1_each(
    tmp_path: Path,
) -> None:
    table = write_shapes(tmp_path / "shapes", 60)
    words = ["dataset=table", f"dataset.table={table}", "dataset.image_size=16"]
    several = ["dataset.label_delimiter=semicolon", "trainer.monitor=val_map"]
    net = [word for word in TINY if word.startswith("model")]
    loss = "loss=binary_cross_entropy"
    done = run(tmp_path, *words, *several, *net, loss, "debug=one_step")
    assert done.returncode == 0, done.stderr

    done = run(tmp_path, "task=explain", "run_id=last", "input=shapes/0001.png")

    assert done.returncode == 0, done.stderr
    (told,) = [line for line in done.stdout.splitlines() if ".png: " in line]
    shares = [float(share) for share in re.findall(r"\(([\d.]+) %\)", told)]
    assert len(shares) == len(SHAPES)
    # As probabilities of one class an image they would add up to 100.
    assert abs(sum(shares) - 100) > 1
