import json
import os
from pathlib import Path
from typing import Any

import pytest

from experiments.files import open_own, replace_json


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
