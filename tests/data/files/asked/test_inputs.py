import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from experiments.data.files.asked import inputs
from experiments.data.files.asked.inputs import (
    check_inputs,
    list_inputs,
    name_input,
    read_standard_input,
)
from experiments.errors import DataError


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of files, beside which the command is typed."""
    for name in ("b.jpg", "a (1).PNG", "notes.md", ".hidden.jpg", "in/c.webp"):
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    (tmp_path / "photos" / ".git").mkdir()
    (tmp_path / "photos" / ".git" / "d.jpg").write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "photos"


def listed(*inputs: str, typed: str = "") -> list[str]:
    return list(list_inputs(inputs, io.StringIO(typed)))


@pytest.mark.usefixtures("photos")
def test_folder_means_the_images_below_it_in_a_stable_order() -> None:
    assert listed("photos") == ["photos/a (1).PNG", "photos/b.jpg", "photos/in/c.webp"]


@pytest.mark.usefixtures("photos")
def test_file_is_taken_whatever_it_is_called() -> None:
    assert listed("photos/notes.md", "photos/a (1).PNG") == [
        "photos/notes.md",
        "photos/a (1).PNG",
    ]


@pytest.mark.usefixtures("photos")
def test_pattern_finds_what_a_shell_finds() -> None:
    assert listed("photos/*.jpg") == ["photos/b.jpg"]
    assert listed("photos/**/*.webp") == ["photos/in/c.webp"]


def test_list_names_files_beside_it(photos: Path) -> None:
    names = ["b.jpg", "", "gone.jpg", str(photos / "in" / "c.webp")]
    (photos / "list.txt").write_text("\n".join(names) + "\n")
    assert listed("photos/list.txt") == [
        "photos/b.jpg",
        "photos/gone.jpg",
        str(photos / "in" / "c.webp"),
    ]


def test_pipe_names_files_of_this_folder() -> None:
    assert listed("-", typed="photos/b.jpg\r\nx y.png\n") == ["photos/b.jpg", "x y.png"]


def test_names_from_a_pipe_are_asked_for_one_by_one() -> None:
    endless = (f"{number}.jpg\n" for number in iter(int, 1))
    assert next(list_inputs(["-"], endless)) == "0.jpg"


def test_pipe_that_find_print0_writes_is_read(photos: Path) -> None:
    assert listed("-", typed="a.jpg\0in/b.jpg\0") == ["a.jpg", "in/b.jpg"]


def test_names_from_a_pipe_belong_to_the_folder_of_the_command() -> None:
    lines = io.StringIO("a.jpg\n/b.jpg\n")
    assert list(list_inputs(["-"], lines, folder=Path("/x"))) == ["/x/a.jpg", "/b.jpg"]


def test_list_of_windows_names_its_files(photos: Path) -> None:
    text = "\ufeffb.jpg\r\n\r\n   \r\nin/c.webp\r\nb.jpg\r\n"
    (photos / "list.txt").write_bytes(text.encode())
    names = ["photos/b.jpg", "photos/in/c.webp", "photos/b.jpg"]
    assert listed("photos/list.txt") == names


@pytest.mark.parametrize("folder", ["photos [1]", "a*b", "photos (1)"])
def test_signs_of_a_pattern_in_a_folder_s_name_are_its_name(
    photos: Path, folder: str
) -> None:
    (photos / folder).mkdir()
    (photos / folder / "x.jpg").touch()
    assert listed(f"{photos / folder}/*.jpg") == [f"{photos / folder}/x.jpg"]


@pytest.mark.usefixtures("photos")
def test_pattern_that_finds_a_folder_and_what_is_in_it_finds_each_once() -> None:
    assert listed("photos/**") == [*listed("photos"), "photos/notes.md"]
    assert listed("pho*") == listed("photos")


def test_folder_without_an_image_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.md").touch()
    with pytest.raises(DataError, match="no file that is called like an image"):
        check_inputs([str(tmp_path)])


def test_folder_that_may_not_be_read_is_not_left_out(
    photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scandir = os.scandir

    def refuse(path: Any) -> Any:
        if str(path) == "photos/in":
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)  # which root may always
    assert listed("photos") == ["photos/a (1).PNG", "photos/b.jpg", "photos/in"]


def test_link_to_a_folder_above_is_no_way_into_it_again(photos: Path) -> None:
    (photos / "in" / "again").symlink_to(photos)
    assert len(listed("photos")) == 3


@pytest.mark.usefixtures("photos")
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("https://example.org/a.jpg", "not addresses"),
        ("s3://bucket/a.jpg", "not addresses"),
        ("film.MP4", "not videos"),
        ("nowhere", "nowhere is not there"),
        ("photos/*.gif", "is not there"),
    ],
)
def test_what_is_not_read_is_told(name: str, words: str) -> None:
    with pytest.raises(DataError, match=words):
        check_inputs([name])
    with pytest.raises(DataError, match=words):
        listed(name)


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The end to write to of what stands for the standard input."""
    reader, writer = os.pipe()
    monkeypatch.setattr(inputs, "_STANDARD_INPUT", reader)
    yield writer
    os.close(reader)


def test_standard_input_is_read_as_it_comes_whatever_its_bytes(pipe: int) -> None:
    os.write(pipe, b"a.jpg\nb\xff.jpg\r\n")
    os.close(pipe)
    names = list_inputs(["-"], read_standard_input(), folder=Path("/x"))
    assert list(names) == ["/x/a.jpg", "/x/b\udcff.jpg"]


@pytest.mark.usefixtures("pipe")
def test_whoever_types_a_dash_without_a_pipe_is_told_what_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], pipe: int
) -> None:
    monkeypatch.setattr(os, "isatty", lambda _: True)
    os.close(pipe)
    assert list(read_standard_input()) == []
    assert "one a line; Ctrl-D ends them" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/x/photos/a ü.jpg", "photos/a ü.jpg"),
        ("/xy/a.jpg", "/xy/a.jpg"),
        ("/x/new\nline.jpg", "new\\nline.jpg"),
        ("/x/b\udcff.jpg", "b\\xff.jpg"),
    ],
)
def test_file_is_called_by_one_line_of_text_as_seen_from_here(
    path: str, name: str
) -> None:
    assert name_input(path, Path("/x")) == name


def test_folder_means_also_what_a_phone_calls_an_image_and_nobody_reads(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "phone"
    folder.mkdir()
    for name in ("a.HEIC", "b.avif", "c.heif", "d.tif", "e.txt"):
        (folder / name).touch()
    found = [Path(path).name for path in list_inputs([str(folder)], [])]
    assert found == ["a.HEIC", "b.avif", "c.heif", "d.tif"]
