"""Reads the images of a table to measure a model on: any number of classes and rows."""

from experiments.config.schema.datasets.dataset import TableConfig
from experiments.data.files.asked.any_classes import (
    PREFERRED,
    SPLIT_KEY,
    Place,
    verify_images,
)
from experiments.data.files.image_files import FileOptions
from experiments.data.files.tables.label_table import (
    columns_of,
    order_labels,
    read_label_table,
)
from experiments.data.files.tables.row_labels import LabelColumns
from experiments.data.files.tables.table_layout import require_images
from experiments.data.labelled import Labelled
from experiments.data.labels import Label
from experiments.errors import DataError


def find_labelled_rows(dataset: TableConfig, wanted: str | None) -> Place:
    """Tells which rows of a table a model is measured on; opens no image.

    Args:
        dataset: The table.
        wanted: The split; `None` for the test split or, without a column of these, all.

    Raises:
        DataError: The table is wrong, an image is missing, or there is no such split.
    """
    table = read_label_table(dataset.table, dataset.folder, columns_of(dataset))
    require_images(table, skips=dataset.on_corrupt == "skip")
    found = {row.split for row in table.rows} - {""}
    if not found and wanted is not None:
        raise DataError(
            f"{SPLIT_KEY} is for tables with dataset.split_column: all rows of "
            f"{table.file} are evaluated. Leave {SPLIT_KEY} out."
        )
    split = wanted or next((name for name in PREFERRED if name in found), None)
    if split is not None and split not in found:
        raise DataError(
            f"{SPLIT_KEY} must be a split that {table.file} names: "
            f"{', '.join(sorted(found))}. Received: {split}."
        )
    rows = [row for row in table.rows if split is None or row.split == split]
    splits = tuple(name for name in PREFERRED if name in found)
    return Place(
        root=table.root, folder=".", split=split, splits=splits, rows=tuple(rows)
    )


def read_labelled_rows(
    place: Place, options: FileOptions, label: LabelColumns
) -> Labelled:
    """Verifies the images of rows, as `read_labelled` does.

    Args:
        place: What `find_labelled_rows` returned.
        options: See `FileOptions`.
        label: Where the labels were.
    """
    named = {name for row in place.rows for name in row.labels}
    classes = list(label.each or order_labels(named))
    pairs: list[tuple[str, Label]] = []
    for row in place.rows:
        numbers = tuple(sorted(classes.index(name) for name in row.labels))
        pairs.append((row.name, numbers if label.has_several else numbers[0]))
    return verify_images(place, pairs, classes, options)
