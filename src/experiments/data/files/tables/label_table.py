"""A table that says of each image where it is and what it shows.

Imports nothing heavy, but for a Parquet file.
"""

import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path

from experiments.config.kinds.label_table import KEY, Table, is_parquet, read_csv
from experiments.config.reading.values import write_word
from experiments.config.schema.datasets.table import TableConfig
from experiments.counts import agree, count_of
from experiments.data.files.place.entries import list_entries, reading
from experiments.data.files.place.split_names import split_of
from experiments.data.files.place.whereabouts import require_folder
from experiments.data.files.scanning.scan import show_name
from experiments.data.files.tables.row_labels import (
    CellError,
    LabelColumns,
    read_labels_by,
    read_weight,
)
from experiments.data.files.tables.row_paths import advise_on_missing, relate
from experiments.errors import DataError

_SHOWN = 5
_PATH, _LABEL = "dataset.path_column", "dataset.label_column"
_LABELS = "dataset.label_columns"
_WEIGHT = "dataset.weight_column"
_SPLIT, _GROUP = "dataset.split_column", "dataset.group_column"
# What others call these columns.
_CALLED = {
    _PATH: "path file filename file_name filepath file_path image image_path "
    "image_name img img_path id image_id fname",
    _LABEL: "label labels class class_name category target y species breed tag",
    _LABELS: "",
    _SPLIT: "split subset set fold partition usage",
    _WEIGHT: "weight weights sample_weight importance",
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
        weight: What it counts in a training's loss; `None` for 1 each.
    """

    path: str
    label: LabelColumns
    split: str | None = None
    group: str | None = None
    weight: str | None = None


def columns_of(dataset: TableConfig) -> Columns:
    """Returns the columns that a config names."""
    each = dataset.label_columns
    return Columns(
        path=dataset.path_column,
        label=LabelColumns(
            one=dataset.label_column,
            delimiter=dataset.label_delimiter,
            each=None if each is None else tuple(each),
        ),
        split=dataset.split_column,
        group=dataset.group_column,
        weight=dataset.weight_column,
    )


@dataclass(frozen=True)
class Row:
    """What is said of one image.

    Attributes:
        number: Of the row, for messages.
        name: Path relative to the images' folder, with forward slashes.
        labels: What it shows; an empty text where nothing is said, unless it may show
            nothing.
        split: `train`, `validation` or `test`; empty without a column.
        group: What it has in common with others; empty likewise.
        weight: What it counts in a training's loss.
    """

    number: int
    name: str
    labels: tuple[str, ...]
    split: str = ""
    group: str = ""
    weight: float = 1.0


@dataclass(frozen=True)
class LabelTable:
    """All that is said, each image once.

    Attributes:
        file: The table.
        root: The images' folder.
        unit: What its rows are called: `line` or `row`.
        rows: Sorted by name.
        repeated: How many rows said again what another one had said.
        label: Where the labels were.
    """

    file: Path
    root: Path
    unit: str
    rows: list[Row]
    label: LabelColumns
    repeated: int = 0

    @property
    def class_names(self) -> list[str]:
        """The labels in order: numbers by their size, all others as texts.

        Of a column each they are these, in the order in which they are named.
        """
        if self.label.each is not None:
            return list(self.label.each)
        return order_labels({label for row in self.rows for label in row.labels})


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
    told = LabelTable(place, folder, table.unit, rows, columns.label)
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
    words = [write_word(KEY, str(folder / name)) for name in meant]
    raise DataError(f"{KEY} {what}{''.join(f' Did you mean {w}?' for w in words)}")


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
    return DataError(_enumerate(head, lines, advise_on_missing(table.root, names[0])))


def _read(place: Path, columns: Columns) -> Table:
    """Reads the table, whose columns must be there."""
    if is_parquet(place):
        from experiments.data.files.tables.parquet_table import (
            list_columns,
            read_parquet,
        )

        _require_columns(place, list_columns(place), columns)
        label = columns.label.names
        wanted = [columns.path, *label, columns.split, columns.group, columns.weight]
        return read_parquet(place, [name for name in wanted if name is not None])
    table = read_csv(place)
    _require_columns(place, table.columns, columns)
    return table


def _require_columns(place: Path, present: Sequence[str], columns: Columns) -> None:
    each = columns.label.each
    wanted = [
        (_PATH, columns.path),
        *((_LABEL if each is None else _LABELS, name) for name in columns.label.names),
        (_SPLIT, columns.split),
        (_GROUP, columns.group),
        (_WEIGHT, columns.weight),
    ]
    for key, name in wanted:
        if name is None or present.count(name) == 1:
            continue
        if name in present:
            raise DataError(f"{key} names {name}, which {place} has several times.")
        called = {c.casefold().replace(" ", "_"): c for c in reversed(present)}
        others = [called[n] for n in _CALLED[key].split() if n in called]
        close = get_close_matches(name.casefold(), called, n=1, cutoff=0.6)
        meant = [called[n] for n in close] or others
        said = meant[0] if meant and key == _LABELS else ""
        typed = said or (write_word(key, meant[0]) if meant else "")
        question = f" Did you mean {typed}?" if meant else ""
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

    path, read = (
        table.columns.index(columns.path),
        read_labels_by(columns.label, table.columns),
    )
    split, group = find(columns.split), find(columns.group)
    weight = find(columns.weight)
    folder = f"{os.path.realpath(root)}/"
    faults: list[str] = []
    for number, cells in table.rows:
        where = f"{table.unit} {number:,}"
        name = cells[path].strip()
        fault = None if name else "names no image"
        name = relate(name, root, folder)
        if name == ".." or name.startswith(("../", "/")):
            fault = f"{show_name(cells[path])} lies outside of {root}"
        if "://" in cells[path] or "\0" in name:
            fault = f"{show_name(cells[path])[:200]} is no path of a file"
        if group is not None and not cells[group].strip():
            fault = f"names no group under {columns.group}"
        labels: tuple[str, ...] = ()
        counts = 1.0
        try:
            labels = read(cells)
            counts = 1.0 if weight is None else read_weight(cells[weight])
        except CellError as error:
            fault = fault or str(error)
        if fault is not None:
            faults.append(f"{where}: {fault}")
            continue
        yield Row(
            number,
            name,
            labels,
            "" if split is None else cells[split].strip(),
            "" if group is None else cells[group].strip(),
            counts,
        )
    if faults:
        lines = count_of(len(faults), table.unit)
        raise DataError(
            _enumerate(
                f"{KEY} cannot be used: {lines} of {place}:",
                faults,
                "Mend the table, or name the folder in which all images lie: "
                "dataset.path=...",
            )
        )


def _find_unlabelled(table: LabelTable) -> list[str]:
    return [
        f"{table.unit} {row.number:,}: {show_name(row.name)} has no label"
        for row in table.rows
        if "" in row.labels
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
        rows.append(replace(row, split=split))
    return replace(table, rows=rows)


def _unite(table: LabelTable) -> LabelTable:
    """Returns a table in which each image is named once, sorted by name."""
    by_name: dict[str, list[Row]] = defaultdict(list)
    for row in table.rows:
        by_name[row.name].append(row)
    faults = []
    for name, rows in by_name.items():
        for kind in ("label", "split", "group", "weight"):
            first = {_say(row, kind): row for row in reversed(rows)}
            if len(first) > 1:
                said = [f"{table.unit} {r.number:,} {v}" for v, r in first.items()]
                several = table.label.has_several and kind == "label"
                kind = "set of labels" if several else kind
                faults.append(
                    f"{show_name(name)} has more than one {kind}: "
                    f"{', '.join(sorted(said)[:_SHOWN])}"
                )
    _refuse(table, faults, "An image has one of each.")
    united = [by_name[name][0] for name in sorted(by_name)]
    repeated = len(table.rows) - len(united)
    return replace(table, rows=united, repeated=repeated)


def _say(row: Row, kind: str) -> str:
    said = ", ".join(row.labels) if kind == "label" else str(getattr(row, kind))
    return said or "nothing"


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
