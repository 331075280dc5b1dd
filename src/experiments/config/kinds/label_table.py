"""Tables of texts: a CSV file as spreadsheets and scripts write it.

It is read by whoever looks for mistakes in it before a job starts, by a job's identity,
and by the data set. Imports nothing heavy. Values stay the texts that they are: a label
007 is not 7.
"""

import csv
import hashlib
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from experiments.errors import DataError
from experiments.files import look_at_ordinary

KEY = "dataset.table"
MOST_BYTES = 2**30
# What may stand between the labels of an image; any other text stands for itself.
DELIMITERS = {"semicolon": ";", "comma": ",", "space": " ", "bar": "|", "tab": "\t"}
PARQUET = b"PAR1"
_DELIMITERS = ",;\t|"
_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
# First bytes of what people have in place of a table of texts.
_OTHERS = {
    b"PK\x03\x04": "a spreadsheet or a zip file",
    b"\xd0\xcf\x11\xe0": "a spreadsheet",
    b"\x1f\x8b": "packed (gunzip it)",
    b"SQLite": "a database",
}


@dataclass(frozen=True)
class Table:
    """What a table holds.

    Attributes:
        columns: Their names.
        rows: The number of each row, as people count it, and its texts, one a column.
        unit: What is counted: `line` of a text, or `row`.
    """

    columns: list[str]
    rows: list[tuple[int, list[str]]]
    unit: str


def read_csv(path: Path) -> Table:
    """Reads a table of texts whose first line names the columns.

    The delimiter is the one of comma, semicolon, tab and bar that gives the first line
    most columns. Marks of UTF-8 and UTF-16 are understood, blank lines left out.

    Args:
        path: The file.

    Raises:
        DataError: It cannot be read, or is no such table; says in which line.
    """
    return _parse(_decode(path, _read_bytes(path)), path)


def is_parquet(path: Path) -> bool:
    """Tells whether a file begins as Parquet does."""
    try:
        with path.open("rb") as file:
            return file.read(len(PARQUET)) == PARQUET
    except OSError:
        return False


def digest_table(path: str) -> str:
    """Returns a hash of what a table says, by which a job is the same job.

    A table of texts in another order, of another delimiter or name has the same; of
    Parquet its bytes count. Of one that cannot be read it is the path, for others to
    tell.
    """
    place = Path(path)
    try:
        if is_parquet(place):
            content = _read_bytes(place)
        else:
            table = read_csv(place)
            order = sorted(range(len(table.columns)), key=table.columns.__getitem__)
            rows = sorted([cells[i] for i in order] for _, cells in table.rows)
            heads = [table.columns[i] for i in order]
            content = json.dumps([heads, *rows]).encode("utf-8", "surrogatepass")
    except DataError:
        return path
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def _read_bytes(path: Path) -> bytes:
    try:
        if look_at_ordinary(path).st_size > MOST_BYTES:
            raise DataError(f"{KEY} must have at most 1 GiB. Received: {path}.")
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"{KEY} cannot be read: {path}: {error.strerror}.") from error


def _decode(path: Path, content: bytes) -> str:
    for head, kind in _OTHERS.items():
        if content.startswith(head):
            raise DataError(
                f"{KEY} must be a CSV or Parquet file. Received: {path}, which is "
                f"{kind}. Save it as CSV."
            )
    marks = [encoding for mark, encoding in _MARKS.items() if content.startswith(mark)]
    encoding = marks[0] if marks else "utf-8"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{KEY} must be UTF-8 text. Received: {path}, whose line {line:,} is not. "
            "Save it as UTF-8, such as by iconv -f WINDOWS-1252 -t UTF-8."
        ) from error


def _parse(text: str, path: Path) -> Table:
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=_find_delimiter(text), strict=True
    )
    try:
        columns = [name.strip() for name in next(_list_filled(reader), [])]
        rows = [(reader.line_num, cells) for cells in _list_filled(reader)]
    except csv.Error as error:
        raise DataError(
            f"{KEY} is no table: {path}, line {reader.line_num:,}: {error}."
        ) from error
    if not columns:
        raise DataError(f"{KEY} is empty: {path}. Its first line names its columns.")
    for line, cells in rows:
        if len(cells) != len(columns):
            raise DataError(
                f"{KEY} has {len(columns)} columns, and line {line:,} of {path} has "
                f"{len(cells)}. Put quotes around a value that holds the delimiter."
            )
    return Table(columns, rows, "line")


def _list_filled(reader: Iterator[list[str]]) -> Iterator[list[str]]:
    return (cells for cells in reader if any(cell.strip() for cell in cells))


def _find_delimiter(text: str) -> str:
    """Returns what stands between the columns of the first line."""
    first = next((line for line in text.splitlines() if line.strip()), "")

    def count(delimiter: str) -> int:
        return len(next(csv.reader([first], delimiter=delimiter), []))

    return max(_DELIMITERS, key=count)
