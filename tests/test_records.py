import os
import pickle
from pathlib import Path
from typing import Any, TypedDict

import pytest

from experiments.records import (
    OutsideError,
    RecordError,
    leads_inside,
    read_bytes,
    read_record,
    refuse_links,
    resolve_inside,
)
from tests.canary import watched
from tests.damage import WAYS


class Form(TypedDict):
    count: int


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "job" / "record.json"
    path.parent.mkdir()
    path.write_text('{"count": 3}')
    return path


def test_record_is_read_as_it_was_written(path: Path) -> None:
    assert read_record(path, Form) == {"count": 3}


def test_absent_record_is_absent(path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_record(path.with_name("other.json"), Form)
    with pytest.raises(FileNotFoundError):
        read_record(path / "below a file", Form)


@pytest.mark.parametrize("way", WAYS)
def test_anything_else_is_named_with_what_to_do(way: str, path: Path) -> None:
    WAYS[way](path)

    with pytest.raises(RecordError) as caught:
        read_record(path, Form, advice="Remove it.")

    assert str(caught.value).startswith(f"{path} is damaged: ")
    assert str(caught.value).endswith(". Remove it.")


def test_key_that_is_said_twice_is_refused(path: Path) -> None:
    """Another program may believe the other one."""
    path.write_text('{"count": 3, "count": 4}')

    with pytest.raises(RecordError, match="it says a key twice"):
        read_record(path, Form)


@pytest.mark.timeout(20)
def test_large_file_is_not_read(path: Path) -> None:
    os.truncate(path, 3_000_000_000)

    with pytest.raises(RecordError, match="it has 3,000,000,000 bytes; more than 16 "):
        read_bytes(path)


def test_limit_is_the_largest_size(path: Path) -> None:
    assert len(read_bytes(path, limit=12)) == 12
    with pytest.raises(RecordError, match="12 bytes"):
        read_bytes(path, limit=11)


def test_file_behind_a_link_that_leads_out_is_not_opened(path: Path) -> None:
    WAYS["a link that leads out"](path)

    with (
        watched(path.parents[1] / "outside") as seen,
        pytest.raises(RecordError, match="a link that leads out of its folder"),
    ):
        read_record(path, Form)

    assert not [event for event in seen if event.startswith("open")]


def test_link_within_the_folder_is_followed(path: Path) -> None:
    link = path.with_name("link.json")
    link.symlink_to(path.name)

    assert read_record(link, Form) == {"count": 3}


def test_whole_folder_may_be_a_link(path: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(path.parent)

    assert read_record(tmp_path / "link" / path.name, Form) == {"count": 3}


def test_error_comes_back_from_a_worker_as_it_was_raised() -> None:
    error = RecordError("a.json", "it is empty", "Remove it.")

    again = pickle.loads(pickle.dumps(error))

    assert (str(again), again.problem) == (str(error), "it is empty")


@pytest.mark.parametrize(
    ("name", "inside"),
    [
        ("a", True),
        ("a/../b", True),
        (".", True),
        ("absent/below", True),
        ("..", False),
        ("../jobs", False),
        ("a/../../b", False),
        ("/etc/passwd", False),
        ("out", False),
        ("out/below", False),
        ("in/below", True),
        ("a\0b", False),
    ],
)
def test_path_counts_by_where_it_leads(name: str, inside: bool, tmp_path: Path) -> None:
    folder = tmp_path / "job"
    (folder / "a").mkdir(parents=True)
    (folder / "out").symlink_to(tmp_path)
    (folder / "in").symlink_to("a")

    assert leads_inside(folder, name) is inside
    if inside:
        assert resolve_inside(folder, name).is_relative_to(folder.resolve())
    else:
        with pytest.raises(OutsideError):
            resolve_inside(folder, name)


def _make_link(path: Path) -> None:
    path.symlink_to("/etc/passwd")


@pytest.mark.parametrize("make", [_make_link, os.mkfifo])
def test_folder_to_send_holds_files_only(make: Any, tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "file").touch()
    refuse_links(tmp_path)

    make(tmp_path / "a" / "b" / "other")

    with pytest.raises(OutsideError, match="other is a link or no ordinary file"):
        refuse_links(tmp_path)
