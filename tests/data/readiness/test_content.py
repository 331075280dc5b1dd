import os
from pathlib import Path
from typing import Any

import pytest

from experiments.data.readiness.content import count_files, look_into
from tests.data.pictures import encode, photograph


def make(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"no image")
    return root


def test_look_ends_with_the_first_image_and_enough_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path, *(f"{number}.jpg" for number in range(50)))
    seen: list[str] = []
    plain = os.scandir

    class Watched:
        def __init__(self, path: str) -> None:
            self.entries = plain(path)

        def __enter__(self) -> Any:
            return (seen.append(e.name) or e for e in self.entries)

        def __exit__(self, *_: object) -> None:
            self.entries.close()

    monkeypatch.setattr(os, "scandir", Watched)
    content = look_into(tmp_path, enough=3)
    assert content.images
    assert not content.complete
    assert len(seen) == content.files == 3


def test_name_does_not_make_an_image_of_what_is_none(tmp_path: Path) -> None:
    make(tmp_path, "a.tif", "b.txt", "c")
    content = look_into(tmp_path, enough=1)
    assert (content.images, content.complete, content.files) == (False, True, 3)
    assert sorted(content.others) == ["a.tif", "b.txt", "c"]


def test_what_holds_an_image_is_one_whatever_its_name(tmp_path: Path) -> None:
    (tmp_path / "scan").write_bytes(encode(photograph(8, 8), "PNG"))
    assert look_into(tmp_path, enough=1).images


@pytest.mark.timeout(20)
def test_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert look_into(tmp_path, enough=1).others == ("pipe",)
    assert not look_into(tmp_path, enough=1).images


@pytest.mark.timeout(20)
def test_links_in_a_circle_end_the_look(tmp_path: Path) -> None:
    (tmp_path / "round").symlink_to(tmp_path)
    (tmp_path / "x").symlink_to("y")
    (tmp_path / "y").symlink_to("x")
    assert not look_into(tmp_path, enough=1).images


def test_what_is_in_too_many_folders_is_not_judged(tmp_path: Path) -> None:
    for number in range(200):
        (tmp_path / str(number)).mkdir()
    assert not look_into(tmp_path, enough=1).complete
    assert count_files(tmp_path, 5) == 5  # nobody knows: enough


def test_files_are_counted_up_to_what_matters(tmp_path: Path) -> None:
    make(tmp_path, "a.jpg", "deep/b.jpg", ".hidden", "@eaDir/c.jpg")
    assert count_files(tmp_path, 10) == 2
    assert count_files(tmp_path, 1) == 1
