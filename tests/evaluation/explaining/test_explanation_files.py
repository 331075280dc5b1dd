"""Each image has a picture, and all have one page."""

import io
from pathlib import Path

from PIL import Image

from experiments.evaluation.explaining.explanation_files import write_explanations
from tests.evaluation.explained import make


def test_each_image_has_a_picture_of_its_name(tmp_path: Path) -> None:
    names = ["a/cat.jpg", "b/cat.png", "b/Cat.gif", "dog", ".hidden", f"{'ä' * 90}.jpg"]
    page, files = write_explanations(tmp_path, [*map(make, names)], title="title")
    assert [path.name for path in files] == [
        "cat.png",
        "cat-2.png",
        "Cat-3.png",
        "dog.png",
        ".hidden.png",
        f"{'ä' * 60}.png",
    ]
    assert page == tmp_path / "explanation.html"
    for path in files:
        assert Image.open(io.BytesIO(path.read_bytes())).format == "PNG"


def test_what_another_run_of_the_command_left_is_gone(tmp_path: Path) -> None:
    write_explanations(tmp_path, [make("old.jpg"), make("kept.jpg")], title="title")
    (tmp_path / "explanations" / "notes.txt").touch()
    write_explanations(tmp_path, [make("kept.jpg")], title="title")
    left = sorted(path.name for path in (tmp_path / "explanations").iterdir())
    assert left == ["kept.png", "notes.txt"]
