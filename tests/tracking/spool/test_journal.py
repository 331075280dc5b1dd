import errno
import json
import math
import os

import pytest

from experiments.errors import TrackingError
from experiments.tracking.spool import journal as journal_module
from experiments.tracking.spool.journal import (
    DAMAGED,
    Entry,
    Journal,
    find_end,
    read_entries,
)
from tests.damage import WAYS


@pytest.fixture
def path(tmp_path):
    return tmp_path / "tracking" / "journal.jsonl"


def contents(path):
    return [entry.content for entry in read_entries(path)]


def test_entries_come_back_in_order_and_exactly(path):
    journal = Journal(path)
    journal.append("told", {"a": 0.1 + 0.2, "b": math.inf}, durable=True)
    journal.append("told", {"a": math.nan, "text": "Grüße\n"})
    first, second = read_entries(path)
    assert (first.number, first.kind) == (0, "told")
    assert first.content == {"a": 0.1 + 0.2, "b": math.inf}
    assert math.isnan(second.content["a"])
    assert first.time <= second.time
    assert second.content["text"] == "Grüße\n"


def test_later_process_goes_on_where_the_first_one_stopped(path):
    Journal(path).append("a", {})
    journal = Journal(path)
    journal.append("b", {})
    assert [(e.number, e.kind) for e in journal.entries] == [(0, "a"), (1, "b")]
    assert read_entries(path) == journal.entries


@pytest.mark.parametrize("torn", [b'{"kind": "a", "ti', b"\0\0\0", b"{}"])
def test_torn_last_line_is_cut_off(path, torn):
    Journal(path).append("a", {"x": 1})
    whole = path.read_bytes()
    path.write_bytes(whole + torn)
    assert contents(path) == [{"x": 1}]
    Journal(path).append("b", {"x": 2})
    assert contents(path) == [{"x": 1}, {"x": 2}]
    (added,) = path.read_bytes().removeprefix(whole).splitlines()
    assert json.loads(added)["kind"] == "b"


def test_damaged_line_keeps_its_place(path):
    journal = Journal(path)
    for number in range(3):
        journal.append("a", {"x": number})
    first, second, third = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(first + b"?" * (len(second) - 1) + b"\n" + third)
    assert [entry.kind for entry in read_entries(path)] == ["a", DAMAGED, "a"]


@pytest.mark.parametrize("keep", [True, False])
def test_full_disk_keeps_entries_in_memory_until_it_has_room(
    keep, path, monkeypatch, caplog
):
    journal = Journal(path, keep=keep)
    journal.append("a", {"x": 0})
    write, room = os.write, [30]

    def write_little(descriptor, data):
        """Takes a part of a line, as a disk that runs full does."""
        if not room:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(descriptor, data[: room.pop()])

    monkeypatch.setattr(os, "write", write_little)
    journal.append("a", {"x": 1})
    journal.append("a", {"x": 2})
    if keep:
        assert [entry.content["x"] for entry in journal.entries] == [0, 1, 2]
    assert contents(path) == [{"x": 0}]
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "No space left on device" in caplog.text
    monkeypatch.undo()
    journal.append("a", {"x": 3})
    assert contents(path) == [{"x": number} for number in range(4)]
    assert [entry.number for entry in read_entries(path)] == list(range(4))
    assert journal.entries == (read_entries(path) if keep else [])


def test_folder_that_cannot_be_made_costs_no_entry(tmp_path, caplog):
    (tmp_path / "file").touch()
    journal = Journal(tmp_path / "file" / "journal.jsonl")
    journal.append("a", {})
    assert len(journal.entries) == 1
    assert "kept in memory" in caplog.text


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "way", ["a pipe", "a device", "a folder", "a link to itself", "3 GB"]
)
def test_journal_that_is_no_ordinary_file_is_named(path, way):
    Journal(path).append("a", {})
    WAYS[way](path)
    with pytest.raises(TrackingError, match=r"jsonl (cannot be read|has 3,000)"):
        read_entries(path)
    with pytest.raises(TrackingError, match=r"journal.jsonl"):
        Journal(path)


@pytest.mark.parametrize(
    "line",
    [
        b"\xff\xfe",
        b"\0",
        b"",
        b"null",
        b"[]",
        b'"session"',
        b"[" * 10**6,
        b'{"kind": "end"}',
        b'{"kind": 1, "time": 1, "content": {}}',
        b'{"kind": "a", "time": "1", "content": {}}',
        b'{"kind": "a", "time": -1, "content": {}}',
        b'{"kind": "a", "time": 1e3, "content": {}}',
        b'{"kind": "a", "time": ' + b"9" * 5000 + b', "content": {}}',
        b'{"kind": "a", "time": 1, "content": []}',
        b'{"kind": "a", "time": 1, "time": 2, "content": {}}',
        b'{"kind": "metrics", "time": 1, "content": {"step": 1}}',
        b'{"kind": "artifact", "time": 1, "content": {"path": "../a", "file": "a"}}',
    ],
    ids=lambda line: line[:40].decode("latin-1"),
)
def test_line_of_another_form_is_damaged_and_says_how(path, line):
    Journal(path).append("a", {"x": 0})
    whole = path.read_bytes()
    path.write_bytes(whole + line + b"\n" + whole)
    entries = read_entries(path)
    assert [entry.kind for entry in entries] == ["a", DAMAGED, "a"]
    assert entries[1].content["problem"]
    journal = Journal(path)
    journal.append("a", {"x": 1})
    assert contents(path)[2:] == [{"x": 0}, {"x": 1}]


def test_line_that_is_far_too_long_is_damaged_and_the_next_is_read(path, monkeypatch):
    monkeypatch.setattr(journal_module, "_LINE_BYTES", 200)
    for size in (10, 1000, 10):
        Journal(path).append("a", {"x": "x" * size})
    assert [entry.kind for entry in read_entries(path)] == ["a", DAMAGED, "a"]
    path.write_bytes(path.read_bytes() + b"x" * 1000)  # torn
    Journal(path).append("b", {})
    assert [entry.kind for entry in read_entries(path)] == ["a", DAMAGED, "a", "b"]


def test_journal_of_too_many_lines_is_named(path, monkeypatch):
    monkeypatch.setattr(journal_module, "_MOST_ENTRIES", 3)
    path.parent.mkdir()
    path.write_bytes(b"\n" * 3)
    assert len(read_entries(path)) == 3
    path.write_bytes(b"\n" * 4)
    with pytest.raises(TrackingError, match="has more than 3 lines"):
        read_entries(path)


def test_journal_is_not_written_where_a_link_leads(path, tmp_path, caplog):
    path.parent.mkdir()
    canary = tmp_path / "canary"
    journal = Journal(path)
    canary.write_text("alive\nand well")
    path.symlink_to(canary)
    journal.append("a", {})
    assert canary.read_text() == "alive\nand well"
    assert "cannot be written" in caplog.text
    with pytest.raises(TrackingError, match="a link that leads out of its folder"):
        Journal(path)


@pytest.mark.parametrize(
    ("kinds", "end"),
    [
        (["session", "metrics", "end"], 2),
        (["session", "end", "metrics", "artifact"], 1),
        (["session", "end", "session", "metrics"], None),
        (["session", "end", "session", "end", "inputs"], 3),
        (["metrics"], None),
        ([], None),
    ],
)
def test_end_counts_until_a_process_opens_the_run_again(
    kinds: list[str], end: int | None
) -> None:
    entries = [Entry(number, kind, 0, {}) for number, kind in enumerate(kinds)]
    found = find_end(entries)
    assert (None if found is None else found.number) == end
