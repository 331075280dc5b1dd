import re

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from experiments.data.files.tables.label_table import (
    Columns,
    find_missing,
    order_labels,
    read_label_table,
)
from experiments.data.files.tables.row_labels import LabelColumns
from experiments.errors import DataError

COLUMNS = Columns(path="path", label=LabelColumns(one="label"))
SPLIT = Columns(path="path", label=LabelColumns(one="label"), split="split")


@pytest.fixture
def read(tmp_path):
    def read_text(text, columns=COLUMNS, names=("a.jpg", "b.jpg")):
        for name in names:
            (tmp_path / name).write_bytes(b"")
        path = tmp_path / "labels.csv"
        path.write_text(text)
        return read_label_table(str(path), str(tmp_path), columns)

    return read_text


def test_rows_are_sorted_by_name_and_keep_their_numbers(read):
    table = read("label,path\ndog,b.jpg\ncat,./a.jpg\n")

    assert [(r.number, r.name, *r.labels) for r in table.rows] == [
        (3, "a.jpg", "cat"),
        (2, "b.jpg", "dog"),
    ]


def test_numbers_are_ordered_by_size_and_texts_as_texts():
    assert order_labels({"10", "9", "2"}) == ["2", "9", "10"]
    assert order_labels({"10", "9", "cat"}) == ["10", "9", "cat"]


@pytest.mark.parametrize("kind", ["absolute", "windows", "decomposed"])
def test_a_path_is_found_however_it_is_written(read, tmp_path, kind):
    (tmp_path / "bär").mkdir()
    name = "bär/a.jpg"
    written = {
        "absolute": str(tmp_path / name),
        "windows": "bär\\a.jpg",
        "decomposed": "ba\u0308r/a.jpg",
    }[kind]

    table = read(f"path,label\n{written},cat\n", names=[name])

    assert [row.name for row in table.rows] == [name]


def test_the_usual_words_name_the_splits(read):
    text = "path,label,split\na.jpg,x,Training\nb.jpg,x,DEV\nc.jpg,x,eval\n"

    table = read(text, SPLIT)

    assert [row.split for row in table.rows] == ["train", "validation", "test"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("path,label\n", "has no rows"),
        ("file,label\na.jpg,cat\n", "Did you mean dataset.path_column=file"),
        ("path,klass\na.jpg,cat\n", "label_column must be a column of .*path, klass"),
        ("path,label,path\na.jpg,cat,b\n", "several times"),
        (
            "path,label\n,cat\na.jpg,cat\n",
            r"^dataset\.table cannot be used: 1 line of .*\n.*line 2: names no image",
        ),
        ("path,label\na.jpg,\nb.jpg, \n", "2 faults.*\n.*line 2: a.jpg has no label"),
        ("path,label\na.jpg,cat\na.jpg,dog\n", "more than one label: line 2 cat, line"),
        ("path,label\n../a.jpg,cat\n", "line 2: ../a.jpg lies outside"),
        ("path,label\n/etc/a.jpg,cat\n", "line 2: /etc/a.jpg lies outside"),
        ("path,label\nhttp://x/a.jpg,cat\n", "no path of a file"),
    ],
)
def test_a_wrong_row_is_told_with_its_number(read, text, told):
    with pytest.raises(DataError, match=told):
        read(text)


def test_a_word_that_is_no_split_is_told(read):
    with pytest.raises(DataError, match="line 3: an empty cell is no split"):
        read("path,label,split\na.jpg,x,train\nb.jpg,x,\n", SPLIT)


def test_what_is_said_twice_counts_once(read):
    table = read("path,label\na.jpg,cat\n./a.jpg,cat\n")

    assert len(table.rows) == 1
    assert table.repeated == 1


def test_a_missing_table_is_asked_about(tmp_path):
    (tmp_path / "labels.csv").write_text("path,label\n")

    for name in ("label.csv", ""):
        with pytest.raises(DataError, match=r"Did you mean .*labels\.csv\?"):
            read_label_table(str(tmp_path / name), str(tmp_path), COLUMNS)


def test_missing_images_are_counted_and_looked_for(read, tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "n0.jpg").write_bytes(b"")
    rows = "".join(f"n{number}.jpg,cat\n" for number in range(9))
    table = read(f"path,label\n{rows}")

    error = str(find_missing(table, [row.name for row in table.rows]))

    assert "9 of 9 images are not in" in error
    assert "line 2: n0.jpg" in error
    assert "and 4 more" in error
    assert re.search(r"Type dataset\.path=.*/images", error)


def test_parquet_is_read_as_texts(tmp_path):
    path = tmp_path / "labels.parquet"
    columns = {"path": ["a", "b"], "label": [1, 20], "other": [{"x": 1}, None]}
    pq.write_table(pa.table(columns), path)

    table = read_label_table(str(path), str(tmp_path), COLUMNS)

    assert [(r.number, r.name, *r.labels) for r in table.rows] == [
        (1, "a", "1"),
        (2, "b", "20"),
    ]
    wrong = Columns(path="path", label=LabelColumns(one="other"))
    with pytest.raises(DataError, match="texts or numbers under other"):
        read_label_table(str(path), str(tmp_path), wrong)
