"""The file `corrections.csv`, as it is read."""

from pathlib import Path
from typing import Any

import pytest

from experiments.config.identity import identify
from experiments.config.kinds.corrections import (
    CorrectionsError,
    digest_corrections,
    read_corrections,
)
from experiments.errors import DataError

HEAD = "sample,proposed,action,digest,reason\n"


def write(folder: Path, *lines: str, name: str = "c.csv", head: str = HEAD) -> Path:
    path = folder / name
    path.write_text(head + "".join(f"{line}\n" for line in lines))
    return path


def test_decisions_are_read_whatever_other_columns_there_are(tmp_path: Path) -> None:
    path = write(
        tmp_path, "a.jpg,cat,relabel,d1,why", "b.jpg,,DROP,,", "c.jpg,x,keep,,"
    )
    found = read_corrections(path)
    rows = [(r.sample, r.action, r.label, r.digest) for r in found.rows.values()]
    assert rows == [
        ("a.jpg", "relabel", "cat", "d1"),
        ("b.jpg", "drop", "", ""),
        ("c.jpg", "keep", "", ""),
    ]
    assert found.dropped == {"b.jpg"}
    assert [row.sample for row in found.effective] == ["a.jpg", "b.jpg"]


def test_spreadsheet_adds_a_mark_and_empty_lines(tmp_path: Path) -> None:
    path = write(tmp_path, ",,,,", "a.jpg,,drop,,", head=f"\ufeff{HEAD}")
    assert list(read_corrections(path).rows) == ["a.jpg"]


def test_name_may_hold_commas_quotes_and_line_breaks(tmp_path: Path) -> None:
    path = write(tmp_path, '"a, ""b""\nc.jpg",,drop,,')
    assert list(read_corrections(path).rows) == ['a, "b"\nc.jpg']


def test_every_wrong_line_is_told_with_its_number(tmp_path: Path) -> None:
    lines = ["a,,drop,,", "b,,delete,,", "a,,keep,,", ",,drop,,", "c,,relabel,,"]
    with pytest.raises(CorrectionsError) as error:
        read_corrections(write(tmp_path, *lines))
    assert error.value.faults == [
        "line 3: action must be one of keep, relabel, drop, not 'delete'",
        "line 4: a stands in line 2 already",
        "line 5: names no sample",
        "line 6: relabel needs a class under proposed",
    ]
    assert "4 lines of" in str(error.value)


def test_of_many_wrong_lines_ten_are_told_and_the_others_counted(
    tmp_path: Path,
) -> None:
    with pytest.raises(CorrectionsError) as error:
        read_corrections(write(tmp_path, *(f"{n},,no,," for n in range(25))))
    assert (len(error.value.faults), error.value.faults[-1]) == (11, "and 15 more")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "Received: an empty file"),
        (b"name,action\n", "Received: name, action"),
        (b"sample,action\n\xff,drop\n", "it is no UTF-8 text"),
        (b'sample,action\n"a,drop\n', "is no CSV file: line 2"),
    ],
)
def test_file_that_is_no_table_is_told(
    content: bytes, told: str, tmp_path: Path
) -> None:
    path = tmp_path / "c.csv"
    path.write_bytes(content)
    with pytest.raises(DataError) as error:
        read_corrections(path)
    assert told in str(error.value)


def test_absent_file_is_told_with_what_writes_one(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="task=audit writes such a file"):
        read_corrections(tmp_path / "c.csv")


def test_samples_and_classes_must_be_there_and_as_they_were(tmp_path: Path) -> None:
    lines = ["a,cat,relabel,1,", "b,dog,relabel,,", "c,,drop,2,", "d,,keep,,"]
    found = read_corrections(write(tmp_path, *lines))
    found.check({"a": "1", "b": "9", "c": "2", "d": None}, ["cat", "dog"])
    with pytest.raises(CorrectionsError) as error:
        found.check({"a": "7", "b": "9", "c": None}, ["cat"])
    assert error.value.faults == [
        "line 2: a is another image than when it was decided",
        "line 3: 'dog' is no class of the data set",
        "line 5: d is no image of the data set",
    ]


def test_digest_is_of_what_the_file_changes(tmp_path: Path) -> None:
    first = digest_corrections(str(write(tmp_path, "a,,drop,,", "b,x,relabel,,")))
    moved = write(
        tmp_path, "b,x,relabel,7,other", "c,,keep,,", "a,z,drop,,", name="moved.csv"
    )
    assert digest_corrections(str(moved)) == first
    other = [("a,,drop,,",), ("a,,drop,,", "b,y,relabel,,"), ("a,,keep,,", "b,,drop,,")]
    digests = {digest_corrections(str(write(tmp_path, *lines))) for lines in other}
    assert len(digests | {first}) == 4


def test_file_that_changes_nothing_is_as_good_as_none(
    compose: Any, tmp_path: Path
) -> None:
    path = write(tmp_path, "a,,keep,,")
    assert digest_corrections(str(path)) is None
    assert identify(compose(f"dataset.corrections={path}")) == identify(compose())


def test_job_is_the_same_wherever_the_file_is_and_another_by_another_action(
    compose: Any, tmp_path: Path
) -> None:
    def job(path: Path) -> str:
        return identify(compose(f"dataset.corrections={path}"))

    plain = identify(compose())
    first = job(write(tmp_path, "3,,drop,,"))
    assert job(write(tmp_path, "3,,drop,,why", name="moved.csv")) == first
    assert len({plain, first, job(write(tmp_path, "4,,drop,,"))}) == 3
