"""How a table of labels is understood: its classes, and the files of each split."""

import posixpath
from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from experiments.config.kinds.label_table import KEY
from experiments.counts import count_of, name_some
from experiments.data.files.folders.class_folders import LabelledFiles
from experiments.data.files.folders.layout import Layout, refuse_other_count
from experiments.data.files.tables.label_table import LabelTable, Row, find_missing
from experiments.data.files.tables.row_labels import LabelColumns
from experiments.data.files.tables.row_paths import is_there
from experiments.data.labels import Label
from experiments.errors import DataError

_ADVICE = {
    False: "Every split must have every class.",
    True: "There must be an image to learn each class from.",
}
_SPLITS = ("train", "validation", "test")


def lay_out(table: LabelTable, classes: int | None) -> Layout:
    """Returns the files of each split; all are under `train` without a column of these.

    Args:
        table: What it says.
        classes: How many classes there must be; `None` for any number.

    Raises:
        DataError: There is but one class, or a split lacks one.
    """
    names = table.class_names
    if len(names) < 2:
        raise DataError(
            f"{KEY} must name at least two classes. Received: "
            f"{name_some(names) or 'none'} in all of "
            f"{count_of(len(table.rows), 'row')} of {table.file}."
        )
    refuse_other_count(table.file, names, classes)
    _question_twins(table, names, classes)
    by_split: dict[str, list[Row]] = {}
    for row in table.rows:
        by_split.setdefault(row.split or "train", []).append(row)
    _refuse_lacking(table, by_split, names)
    number_of = {name: number for number, name in enumerate(names)}
    files = {
        split: LabelledFiles(
            names=[row.name for row in rows],
            labels=[_number(row, number_of, table.label) for row in rows],
            folders=[posixpath.dirname(row.name) or "." for row in rows],
        )
        for split in _SPLITS
        if (rows := by_split.get(split))
    }
    given = {split: split for split in files if table.rows[0].split}
    return Layout(names, files, given, unused=[])


def _number(row: Row, numbers: Mapping[str, int], label: LabelColumns) -> Label:
    if label.has_several:
        return tuple(sorted(numbers[name] for name in row.labels))
    return numbers[row.labels[0]]


def require_images(table: LabelTable, *, skips: bool) -> None:
    """Checks that the images are there.

    Args:
        table: Which names them.
        skips: Whether some may be missing.

    Raises:
        DataError: Some are not, or none is.
    """
    missing = [row.name for row in table.rows if not is_there(table.root, row.name)]
    if missing and (not skips or len(missing) == len(table.rows)):
        raise find_missing(table, missing)


def groups_of(table: LabelTable) -> dict[str, str] | None:
    """Returns file -> group where the table has a column of groups."""
    groups = {row.name: row.group for row in table.rows}
    return groups if any(groups.values()) else None


def weights_of(table: LabelTable) -> dict[str, float]:
    """Returns file -> what it counts in a training's loss."""
    return {row.name: row.weight for row in table.rows}


def _refuse_lacking(
    table: LabelTable, by_split: dict[str, list[Row]], names: Sequence[str]
) -> None:
    """Raises unless there is a training split, and each split has every class.

    Where rows may have several labels only the training split needs all of them.
    """
    if "train" not in by_split:
        raise DataError(
            f"{KEY} names no image to train on: {table.file} says "
            f"{', '.join(sorted(by_split))} only. Write train for some."
        )
    for split, rows in by_split.items():
        if split != "train" and table.label.has_several:
            continue
        found = {label for row in rows for label in row.labels}
        lacking = [name for name in names if name not in found]
        if lacking:
            advice = _ADVICE[table.label.has_several]
            classes = count_of(len(names), "class", "classes")
            raise DataError(
                f"{KEY}: the {split} split lacks {len(lacking):,} of {classes}: "
                f"{name_some(lacking)}. {advice}"
            )


def _question_twins(
    table: LabelTable, names: Collection[str], classes: int | None
) -> None:
    """Raises where labels differ only in case or blanks, unless that is confirmed."""
    looks = Counter(" ".join(name.casefold().split()) for name in names)
    twins = [n for n in names if looks[" ".join(n.casefold().split())] > 1]
    if twins and classes != len(names):
        raise DataError(
            f"{KEY}: labels of {table.file} differ only in case or blanks: "
            f"{name_some(map(repr, twins))}. Write each class in one way, or "
            f"confirm their number: dataset.classes={len(names)}"
        )
