import json
import os
import pickle
from pathlib import Path
from typing import Any, TypedDict

import pytest

from experiments import __version__
from experiments.records import (
    FIRST,
    FORMAT,
    NewerRecordError,
    OutsideError,
    RecordError,
    leads_inside,
    read_bytes,
    read_header,
    read_record,
    refuse_links,
    refuse_newer_in,
    resolve_inside,
    write_header,
    write_record,
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


@pytest.mark.parametrize("found", [0, -1, 1.0, True, "2", None, [], 2**40])
def test_format_that_is_none_is_damage(tmp_path: Path, found: object) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"format": found, "x": 1}))
    with pytest.raises(RecordError, match="`format` must be an integer, 1 or more"):
        read_record(path, dict[str, int])


def test_record_says_its_format_and_is_read_without_it(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_record(path, {"x": 1})
    written = json.loads(path.read_text())
    assert written == {"format": FORMAT, "release": __version__, "x": 1}
    assert read_record(path, dict[str, int]) == {"x": 1}


def test_record_of_before_is_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("[3, 4]")

    def upgrade(content: Any, since: int) -> Any:
        return {"list": content, "since": since}

    shape = dict[str, Any]
    found = read_record(path, shape, upgrade=upgrade)
    assert found == {"list": [3, 4], "since": FIRST}
    write_record(path, {"x": 1})
    assert read_record(path, shape, upgrade=upgrade) == {"x": 1}


@pytest.mark.parametrize("release", ["\x1b[2J", "1 2", 3, "x" * 41, None])
def test_release_that_is_none_does_not_reach_the_screen(
    tmp_path: Path, release: object
) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"format": 99, "release": release}))
    for read in (lambda: read_record(path, Any), lambda: refuse_newer_in(tmp_path)):
        with pytest.raises(NewerRecordError) as caught:
            read()
        told = "was written by a later release of experiments in format 99; this is"
        assert told in str(caught.value)
        assert "Install a later one." in str(caught.value)


def test_yaml_says_its_format_in_a_comment() -> None:
    assert read_header(write_header().encode() + b"a: 1\n", "config.yaml") == FORMAT
    assert read_header(b"a: 1\n", "config.yaml") == FIRST
    with pytest.raises(NewerRecordError, match=r"^config.yaml was written by experi"):
        read_header(b"# experiments 2.0, format 99\r\na: 1\n", "config.yaml")


@pytest.mark.parametrize("line", [b'{"format": 99}', b'{ "format": 99, "kind": 1}'])
def test_later_line_of_a_journal_is_found(tmp_path: Path, line: bytes) -> None:
    (tmp_path / "search").mkdir()
    journal = tmp_path / "search" / "trials.jsonl"
    journal.write_bytes(b'{"kind": 1}\n{"format": 2}\n')
    refuse_newer_in(tmp_path)
    journal.write_bytes(journal.read_bytes() + line + b"\n")
    with pytest.raises(NewerRecordError, match=r"trials\.jsonl"):
        refuse_newer_in(tmp_path)


@pytest.mark.timeout(20)
def test_looking_for_later_records_waits_for_nothing_and_follows_no_link(
    tmp_path: Path,
) -> None:
    (tmp_path / "outside").write_text('{"format": 99}')
    job = tmp_path / "job"
    job.mkdir()
    os.mkfifo(job / "a.json")
    (job / "b.json").symlink_to(tmp_path / "outside")
    (job / "c.json").mkdir()
    refuse_newer_in(job)
    refuse_newer_in(tmp_path / "absent")


def test_relative_path_is_read_from_where_one_is(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(path.parent.parent)
    relative = Path(path.parent.name, path.name)
    assert read_bytes(relative) == path.read_bytes()
    monkeypatch.chdir(path.parent)
    assert read_bytes(Path(path.name)) == path.read_bytes()
