import json
import os
from pathlib import Path
from typing import Any

import pytest

from experiments.files import (
    drafting,
    open_own,
    remove_inside,
    replace_bytes,
    replace_json,
)


def test_file_is_replaced_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    for content in ({"é": 1}, [1, None]):
        replace_json(path, content, indent=2)
        assert json.loads(path.read_text("utf-8")) == content
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


def test_former_content_survives_what_cannot_be_written(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    replace_json(path, {"a": 1})
    with pytest.raises(TypeError):
        replace_json(path, {"a": object()})
    assert json.loads(path.read_text()) == {"a": 1}


def test_link_in_the_place_of_the_draft_leads_nowhere(tmp_path: Path) -> None:
    """Its name is known, so that whoever made the folder could put one there."""
    canary = tmp_path / "canary"
    canary.write_text("alive")
    folder = tmp_path / "job"
    folder.mkdir()
    (folder / "unfinished-result.json").symlink_to(canary)

    replace_json(folder / "result.json", {"a": 1})

    assert canary.read_text() == "alive"
    assert json.loads((folder / "result.json").read_text()) == {"a": 1}
    assert not (folder / "result.json").is_symlink()


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("durable", [False, True])
def test_readers_see_the_old_file_until_the_new_one_is_whole(
    tmp_path: Path, shared: bool, durable: bool
) -> None:
    path = tmp_path / "file"
    replace_bytes(path, b"old", shared=shared, durable=durable)
    with drafting(path, shared=shared, durable=durable) as draft:
        draft.write_bytes(b"new")
        assert draft.parent == path.parent  # else it could not get its name at once
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"
    assert [place.name for place in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("shared", [False, True])
def test_an_error_leaves_the_old_file_and_no_draft(
    tmp_path: Path, shared: bool
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def break_off() -> None:
        with drafting(path, shared=shared) as draft:
            draft.write_bytes(b"half")
            Path(f"{draft}-wal").write_bytes(b"as SQLite does")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        break_off()
    assert path.read_bytes() == b"old"
    assert [place.name for place in tmp_path.iterdir()] == ["file"]


def test_several_who_write_one_file_have_drafts_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with drafting(path, shared=True) as one, drafting(path, shared=True) as other:
        one.write_bytes(b"one")
        other.write_bytes(b"other")
    assert path.read_bytes() == b"one"  # the last one to end


def test_a_folder_appears_when_it_is_whole(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    with drafting(folder, shared=True) as draft:
        draft.mkdir()
        (draft / "weights").write_text("1")
        assert not folder.exists()
    assert (folder / "weights").read_text() == "1"
    assert [place.name for place in tmp_path.iterdir()] == ["model"]


def test_what_a_killed_process_has_left_of_a_draft_is_gone(tmp_path: Path) -> None:
    left = tmp_path / "unfinished-model"
    left.mkdir()
    (left / "half.onnx").write_text("1")
    with drafting(tmp_path / "model") as draft:
        assert draft == left
        draft.mkdir()
        (draft / "model.tflite").write_text("2")
    assert [place.name for place in tmp_path.rglob("*")] == ["model", "model.tflite"]


def test_a_link_in_the_place_of_a_draft_is_not_followed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "photo.jpg").write_text("1")
    (tmp_path / "unfinished-model").symlink_to(elsewhere)
    with drafting(tmp_path / "model") as draft:
        draft.mkdir()
    assert (elsewhere / "photo.jpg").exists()
    assert not (tmp_path / "model").is_symlink()


def test_an_error_leaves_no_folder(tmp_path: Path) -> None:
    def break_off() -> None:
        with drafting(tmp_path / "model") as draft:
            draft.mkdir()
            (draft / "weights").write_text("1")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        break_off()
    assert list(tmp_path.iterdir()) == []


def test_a_power_cut_finds_the_content_before_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    flush, replace = os.fsync, Path.replace

    def note_flush(descriptor: int) -> None:
        told.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)
        flush(descriptor)

    def note_name(self: Path, target: Path) -> Path:
        told.append("named")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", note_flush)
    monkeypatch.setattr(Path, "replace", note_name)
    replace_bytes(tmp_path / "file", b"new", durable=True)
    assert told == ["unfinished-file", "named", tmp_path.name]


def _link_to_canary(path: Path) -> None:
    path.symlink_to(path.parent / "canary")


@pytest.mark.parametrize("make", [_link_to_canary, os.mkfifo, Path.mkdir])
def test_only_an_ordinary_file_is_gone_on_with(make: Any, tmp_path: Path) -> None:
    (tmp_path / "canary").write_text("alive")
    make(tmp_path / "file")

    with pytest.raises(OSError):  # noqa: PT011 - each is another one
        open_own(tmp_path / "file", os.O_APPEND)

    assert (tmp_path / "canary").read_text() == "alive"


def test_file_that_is_gone_on_with_keeps_what_it_had(tmp_path: Path) -> None:
    for text in (b"a", b"b"):
        descriptor = open_own(tmp_path / "file", os.O_APPEND)
        os.write(descriptor, text)
        os.close(descriptor)

    assert (tmp_path / "file").read_bytes() == b"ab"


def test_file_link_and_empty_folder_are_removed_by_their_names(tmp_path: Path) -> None:
    (tmp_path / "a" / "empty").mkdir(parents=True)
    (tmp_path / "a" / "file").touch()
    (tmp_path / "a" / "link").symlink_to(tmp_path / "a" / "file")
    for name in ("link", "empty", "file"):
        remove_inside(tmp_path, tmp_path / "a" / name)
    assert list((tmp_path / "a").iterdir()) == []


def test_nothing_is_removed_behind_a_link(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "kept").touch()
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "way").symlink_to(tmp_path / "outside")
    with pytest.raises(NotADirectoryError):
        remove_inside(tmp_path / "root", tmp_path / "root" / "way" / "kept")
    for path in ("outside/kept", "root/../outside/kept"):
        with pytest.raises(ValueError, match="is not"):
            remove_inside(tmp_path / "root", tmp_path / path)
    assert (tmp_path / "outside" / "kept").exists()


def test_folder_that_is_not_empty_stays(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    with pytest.raises(OSError, match="not empty"):
        remove_inside(tmp_path, tmp_path / "a")
