"""A user's own images, with a table of their labels."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Unpack

from experiments.counts import count_of
from experiments.data.dataset import Dataset
from experiments.data.files.assignment import assign_files
from experiments.data.files.dividing.file_division import Division
from experiments.data.files.image_files import FileOptions, split_files
from experiments.data.files.tables.label_table import Columns, read_label_table
from experiments.data.files.tables.row_labels import LabelColumns
from experiments.data.files.tables.table_layout import (
    groups_of,
    lay_out,
    require_images,
    weights_of,
)
from experiments.data.folds import as_fold
from experiments.data.image_weights import weigh_training

_log = logging.getLogger(__name__)


def load_table(
    *,
    table: str,
    path: str,
    path_column: str,
    label_column: str,
    split_column: str | None,
    group_column: str | None,
    weight_column: str | None = None,
    label_delimiter: str | None = None,
    label_columns: Sequence[str] | None = None,
    classes: int | None,
    validation_fraction: float,
    test_fraction: float,
    split_by: str,
    split_seed: int,
    folds: int | None = None,
    fold: int | None = None,
    group: str | None = None,
    split: str = "hash",
    **options: Unpack[FileOptions],
) -> Dataset:
    """Reads a table, verifies its images and splits them.

    With a column of splits these are taken as they are: without validation images the
    validation split is taken from the training images, without test images there is no
    test split. Otherwise all are divided as those of a folder, see `load_folder`.

    Args:
        table: A CSV or Parquet file, see `read_label_table`.
        path: The images' folder.
        path_column: Column of the paths, relative to it.
        label_column: Column of the labels; the classes are these, see `order_labels`.
        split_column: Column of the splits; `None` when nothing says so.
        group_column: Column of what images have in common that stay together.
        weight_column: Column of what each image counts in the loss of a training;
            `None` for 1 each.
        label_delimiter: What stands between several labels of an image, of which there
            may be none; `None` for one label an image.
        label_columns: In place of a column of labels one for each class, of 0 and 1.
        classes: Number of classes to insist on.
        validation_fraction: Share of the validation split.
        test_fraction: Share of the test split, where no column says it.
        split_by: The hash of a file's `content` or of its relative `path`.
        split_seed: Another seed gives another division.
        folds: Of how many parts `fold` is tested; `None` for no such parts.
        fold: 1 to `folds`.
        group: In place of a column what tells groups by the paths, see `read_groups`.
        split: `hash`, `stratified` or `group`, see `Division`.
        options: See `FileOptions`.

    Raises:
        DataError: The table is wrong, or an image is missing or unusable.
    """
    columns = Columns(
        path=path_column,
        label=LabelColumns(
            one=label_column,
            delimiter=label_delimiter,
            each=None if label_columns is None else tuple(label_columns),
        ),
        split=split_column,
        group=group_column,
        weight=weight_column,
    )
    read = read_label_table(table, path, columns)
    layout = lay_out(read, classes)
    require_images(read, skips=options["on_corrupt"] == "skip")
    if read.repeated:
        rows = count_of(read.repeated, read.unit)
        _log.warning("%s of %s repeat others: not counted again.", rows, read.file)
    division = Division(
        split_by=split_by,
        validation_fraction=validation_fraction,
        test_fraction=0.0 if layout.splits else test_fraction,
        seed=split_seed,
        method=split,
        group=group,
        groups=groups_of(read),
    )
    dataset = split_files(
        read.root,
        assign_files(layout, division, as_fold(folds, fold)),
        name=read.root.resolve().name,
        class_names=layout.class_names,
        splits={},
        **options,
    )
    # So that it can be told later what changed of the files that the table names.
    named = {"file": str(read.file.resolve()), "path_column": path_column}
    dataset = replace(dataset, files={**dataset.files, "table": named})
    return (
        dataset if weight_column is None else weigh_training(dataset, weights_of(read))
    )
