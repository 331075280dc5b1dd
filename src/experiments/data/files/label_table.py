"""A table that says of each image where it is and what it shows.

Imports nothing heavy, but for a Parquet file.
"""

import os
import posixpath
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from experiments.config.label_table import KEY, Table, is_parquet, read_csv
from experiments.config.schema.dataset_table import TableConfig
from experiments.config.values import write_word
from experiments.counts import agree, count_of
from experiments.data.files.entries import list_entries, reading
from experiments.data.files.scan import show_name
from experiments.data.files.split_names import split_of
from experiments.data.files.whereabouts import require_folder
from experiments.errors import DataError

_SHOWN = 5
_PATH, _LABEL = "dataset.path_column", "dataset.label_column"
_SPLIT, _GROUP = "dataset.split_column", "dataset.group_column"
# What others call these columns.
_CALLED = {
    _PATH: "path file filename file_name filepath file_path image image_path "
    "image_name img img_path id image_id fname",
    _LABEL: "label labels class class_name category target y species breed tag",
    _SPLIT: "split subset set fold partition usage",
    _GROUP: "group patient patient_id subject person scene",
}


@dataclass(frozen=True, kw_only=True)
class Columns:
    """Names of the columns of a table.

    Attributes:
        path: Where the image is, relative to the images' folder.
        label: What it shows.
        split: In which split it is; `None` when nothing says so.
        group: What it has in common with others; `None` likewise.
    """

    path: str
    label: str
    split: str | None = None
    group: str | None = None


def columns_of(dataset: TableConfig) -> Columns:
    """Returns the columns that a config names."""
    return Columns(
        path=dataset.path_column,
        label=dataset.label_column,
        split=dataset.split_column,
        group=dataset.group_column,
    )


@dataclass(frozen=True)
class Row:
    """What is said of one image.

    Attributes:
        number: Of the row, for messages.
        name: Path relative to the images' folder, with forward slashes.
        label: What it shows; empty where nothing is said.
        split: `train`, `validation` or `test`; empty without a column.
        group: What it has in common with others; empty likewise.
    """

    number: int
    name: str
    label: str
    split: str = ""
    group: str = ""


@dataclass(frozen=True)
class LabelTable:
    """All that is said, each image once.

    Attributes:
        file: The table.
        root: The images' folder.
        unit: What its rows are called: `line` or `row`.
        rows: Sorted by name.
        repeated: How many rows said again what another one had said.
    """

    file: Path
    root: Path
    unit: str
    rows: list[Row]
    repeated: int = 0

    @property
    def class_names(self) -> list[str]:
        """The labels in order: numbers by their size, all others as texts."""
        return order_labels({row.label for row in self.rows})


def order_labels(labels: set[str]) -> list[str]:
    """Returns labels sorted: by size if all of them are whole numbers, else as texts.

    `2` comes before `10`, and where there is a `cat` besides, after it.
    """
    if all(label.isascii() and label.isdecimal() for label in labels):
        return sorted(labels, key=lambda label: (int(label), label))
    return sorted(labels)


def read_label_table(file: str, root: str, columns: Columns) -> LabelTable:
    """Reads a table and checks what it says; opens no image.

    Args:
        file: A CSV or Parquet file.
        root: The images' folder.
        columns: Which columns are read.

    Raises:
        DataError: It is not there, or its rows are wrong: the first ones are told.
    """
    place = require_table(file)
    folder = require_folder(root)
    table = _read(place, columns)
    rows = list(_list_rows(table, folder, place, columns))
    if not rows:
        raise DataError(f"{KEY} has no rows: {place} names its columns only.")
    told = LabelTable(place, folder, table.unit, rows)
    _refuse(told, _find_unlabelled(told))
    return _unite(_with_splits(told, columns.split))


def require_table(file: str) -> Path:
    """Returns an existing file.

    Raises:
        DataError: There is none; says which may have been meant.
    """
    with reading(file):
        path = Path(file).expanduser()
        if path.is_file():
            return path
        folder = path if path.is_dir() else path.parent
        names = list_entries(folder).files if folder.is_dir() else []
    tables = [n for n in names if n.lower().endswith((".csv", ".tsv", ".parquet"))]
    if path.is_dir():
        meant, what = tables[:1], f"must be a file. Received: the folder {path}."
    else:
        meant = get_close_matches(path.name, names, n=1) or tables[:1]
        what = f"does not exist: {path}."
    question = f" Did you mean {write_word(KEY, str(folder / meant[0]))}?"
    raise DataError(f"{KEY} {what}{question if meant else ''}")


def find_missing(table: LabelTable, names: Sequence[str]) -> DataError:
    """Returns the error that names images that are not there, and what may help.

    Args:
        table: Where they are named.
        names: Of them; one at least.
    """
    numbers = {row.name: row.number for row in table.rows}
    lines = [f"{table.unit} {numbers[name]:,}: {show_name(name)}" for name in names]
    verb = agree(len(names), "is", "are")
    total = count_of(len(table.rows), "image")
    head = f"{KEY}: {len(names):,} of {total} {verb} not in {table.root}:"
    return DataError(_enumerate(head, lines, _advise(table.root, names[0])))


def is_there(root: Path, name: str) -> bool:
    """Tells whether a name leads to anything."""
    return os.path.lexists(f"{root}/{name}")


def _advise(root: Path, name: str) -> str:
    """Returns where the images may be instead."""
    folders = list_entries(root).folders
    for inner in folders:
        if is_there(root / inner, name):
            return f"Type {write_word('dataset.path', str(root / inner))}"
    if is_there(root.parent, name):
        return f"Type {write_word('dataset.path', str(root.parent))}"
    for suffix in (".jpg", ".jpeg", ".png", ".JPG"):
        if is_there(root, name + suffix):
            return f"The files' names end in {suffix}: write them out in the table."
    return "Mend the table, or name the folder of the images: dataset.path=..."


def _read(place: Path, columns: Columns) -> Table:
    """Reads the table, whose columns must be there."""
    if is_parquet(place):
        from experiments.data.files.parquet_table import list_columns, read_parquet

        _require_columns(place, list_columns(place), columns)
        wanted = [columns.path, columns.label, columns.split, columns.group]
        return read_parquet(place, [name for name in wanted if name is not None])
    table = read_csv(place)
    _require_columns(place, table.columns, columns)
    return table


def _require_columns(place: Path, present: Sequence[str], columns: Columns) -> None:
    wanted = {
        _PATH: columns.path,
        _LABEL: columns.label,
        _SPLIT: columns.split,
        _GROUP: columns.group,
    }
    for key, name in wanted.items():
        if name is None or present.count(name) == 1:
            continue
        if name in present:
            raise DataError(f"{key} names {name}, which {place} has several times.")
        called = {c.casefold().replace(" ", "_"): c for c in reversed(present)}
        others = [called[n] for n in _CALLED[key].split() if n in called]
        close = get_close_matches(name.casefold(), called, n=1, cutoff=0.6)
        meant = [called[n] for n in close] or others
        question = f" Did you mean {write_word(key, meant[0])}?" if meant else ""
        raise DataError(
            f"{key} must be a column of {place}: {', '.join(present)[:300]}. "
            f"Received: {name}.{question}"
        )


def _list_rows(
    table: Table, root: Path, place: Path, columns: Columns
) -> Iterator[Row]:
    """Yields what each row says, its path made relative to the images' folder."""

    def find(name: str | None) -> int | None:
        return None if name is None else table.columns.index(name)

    path, label = table.columns.index(columns.path), table.columns.index(columns.label)
    split, group = find(columns.split), find(columns.group)
    folder = f"{os.path.realpath(root)}/"
    faults: list[str] = []
    for number, cells in table.rows:
        where = f"{table.unit} {number:,}"
        name = cells[path].strip()
        fault = None if name else "names no image"
        name = _relate(name, root, folder)
        if name == ".." or name.startswith(("../", "/")):
            fault = f"{show_name(cells[path])} lies outside of {root}"
        if "://" in cells[path] or "\0" in name:
            fault = f"{show_name(cells[path])[:200]} is no path of a file"
        if group is not None and not cells[group].strip():
            fault = f"names no group under {columns.group}"
        if fault is not None:
            faults.append(f"{where}: {fault}")
            continue
        yield Row(
            number,
            name,
            cells[label].strip(),
            "" if split is None else cells[split].strip(),
            "" if group is None else cells[group].strip(),
        )
    if faults:
        raise DataError(
            _enumerate(
                f"{count_of(len(faults), table.unit)} of {place} cannot be used:",
                faults,
                "Mend the table, or name the folder in which all images lie: "
                "dataset.path=...",
            )
        )


def _relate(name: str, root: Path, folder: str) -> str:
    """Returns a path relative to a folder, as this system writes it.

    Args:
        name: As the table has it: absolute, or relative to the folder.
        root: The folder.
        folder: It again, without links, with a slash at its end.
    """
    if name.startswith("/"):
        name = name.removeprefix(f"{root}/")
        if name.startswith("/"):
            name = name.removeprefix(folder)
    if "\\" in name and not is_there(root, name):
        name = name.replace("\\", "/")  # as Windows writes it
    name = posixpath.normpath(name) if name else name
    if not name.isascii() and not is_there(root, name):
        # As macOS writes letters with marks, or as all others do.
        for form in ("NFC", "NFD"):
            spelt = unicodedata.normalize(form, name)
            if is_there(root, spelt):
                return spelt
    return name


def _find_unlabelled(table: LabelTable) -> list[str]:
    return [
        f"{table.unit} {row.number:,}: {show_name(row.name)} has no label"
        for row in table.rows
        if not row.label
    ]


def _with_splits(table: LabelTable, column: str | None) -> LabelTable:
    """Returns the rows with the names of the splits in place of the table's words."""
    if column is None:
        return table
    words = {row.split for row in table.rows}
    splits = {word: split_of(word) if word else None for word in words}
    _refuse(
        table,
        [
            f"{table.unit} {row.number:,}: {row.split or 'an empty cell'} is no split"
            for row in table.rows
            if splits[row.split] is None
        ],
        "A split is train, validation (val, valid, dev) or test.",
    )
    found = set(splits.values())
    free = [name for name in ("validation", "test") if name not in found]
    if "evaluation" in found and len(free) != 1:
        raise DataError(
            f"{_SPLIT}: {column} of {table.file} says eval, which can be validation or "
            "test. Write one of them."
        )
    meaning = {"evaluation": free[0]} if "evaluation" in found else {}
    rows = []
    for row in table.rows:
        split = splits[row.split] or ""
        split = meaning.get(split, split)
        rows.append(Row(row.number, row.name, row.label, split, row.group))
    return LabelTable(table.file, table.root, table.unit, rows)


def _unite(table: LabelTable) -> LabelTable:
    """Returns a table in which each image is named once, sorted by name."""
    by_name: dict[str, list[Row]] = defaultdict(list)
    for row in table.rows:
        by_name[row.name].append(row)
    faults = []
    for name, rows in by_name.items():
        for kind in ("label", "split", "group"):
            first = {getattr(row, kind): row for row in reversed(rows)}
            if len(first) > 1:
                said = [f"{table.unit} {r.number:,} {v}" for v, r in first.items()]
                faults.append(
                    f"{show_name(name)} has more than one {kind}: "
                    f"{', '.join(sorted(said)[:_SHOWN])}"
                )
    _refuse(table, faults, "An image has one of each.")
    united = [by_name[name][0] for name in sorted(by_name)]
    repeated = len(table.rows) - len(united)
    return LabelTable(table.file, table.root, table.unit, united, repeated)


def _refuse(table: LabelTable, faults: Sequence[str], advice: str = "") -> None:
    if faults:
        head = (
            f"{KEY} cannot be used: {count_of(len(faults), 'fault')} in {table.file}:"
        )
        raise DataError(_enumerate(head, faults, advice or "Mend the table."))


def _enumerate(head: str, faults: Sequence[str], advice: str) -> str:
    shown = [f"    - {fault}" for fault in faults[:_SHOWN]]
    if len(faults) > _SHOWN:
        shown.append(f"    - and {len(faults) - _SHOWN:,} more")
    return "\n".join([head, *shown, advice])
