import pytest

from experiments.config.kinds.label_table import digest_table, read_csv
from experiments.errors import DataError


def write(tmp_path, text, encoding="utf-8", name="labels.csv"):
    path = tmp_path / name
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_told_by_the_first_line(tmp_path, delimiter):
    text = f"path{delimiter}label\na.jpg{delimiter}cat\n"

    table = read_csv(write(tmp_path, text))

    assert table.columns == ["path", "label"]
    assert table.rows == [(2, ["a.jpg", "cat"])]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_what_spreadsheets_write_is_understood(tmp_path, encoding):
    text = 'path,label\r\n\r\n"a, b.jpg","Möwe ""weiß"""\r\n'

    table = read_csv(write(tmp_path, text, encoding))

    assert table.rows == [(3, ["a, b.jpg", 'Möwe "weiß"'])]


def test_a_label_stays_the_text_that_it_is(tmp_path):
    table = read_csv(write(tmp_path, "path,label\na.jpg,007\nb.jpg,1e3\nc.jpg,NA\n"))

    assert [cells[1] for _, cells in table.rows] == ["007", "1e3", "NA"]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is empty"),
        (b"path,label\na.jpg,cat,dog\n", "line 2 .* has 3. Put quotes"),
        (b'path,label\na.jpg,"cat\n', "line 2: unexpected end of data"),
        ("path,label\na.jpg,Möwe\n".encode("latin-1"), "line 2 is not. Save it"),
        (b"PK\x03\x04rest", "a spreadsheet or a zip file. Save it as CSV"),
    ],
)
def test_what_is_no_table_is_told_with_its_line(tmp_path, content, told):
    path = tmp_path / "labels.csv"
    path.write_bytes(content)

    with pytest.raises(DataError, match=told):
        read_csv(path)


def test_a_job_is_the_same_by_what_its_table_says(tmp_path):
    first = write(tmp_path, "path,label\na.jpg,cat\nb.jpg,dog\n")
    same = write(tmp_path, "label;path\r\ndog;b.jpg\r\ncat;a.jpg\r\n", name="x.csv")
    other = write(tmp_path, "path,label\na.jpg,dog\nb.jpg,dog\n", name="y.csv")

    assert digest_table(str(first)) == digest_table(str(same))
    assert digest_table(str(first)) != digest_table(str(other))
    assert digest_table(str(tmp_path / "gone.csv")) == str(tmp_path / "gone.csv")
