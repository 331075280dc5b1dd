"""What keeps a training on a table of images from beginning."""

from collections import Counter
from collections.abc import Iterator

from experiments.config.kinds.label_table import KEY
from experiments.config.schema.datasets.table import TableConfig
from experiments.counts import name_some
from experiments.data.files.folders.layout import Layout
from experiments.data.files.tables.label_table import columns_of, read_label_table
from experiments.data.files.tables.table_layout import (
    groups_of,
    lay_out,
    require_images,
)
from experiments.data.labels import classes_of
from experiments.data.readiness.folders import Look, as_problem, hold_out
from experiments.data.readiness.training_size import (
    MOST_DIVIDED,
    TrainingSize,
    divide,
)
from experiments.errors import DataError, Problem


def look_at_table(dataset: TableConfig) -> Look:
    """Looks at a table and for its images, as `load_table` will understand them.

    Args:
        dataset: Its config.
    """
    look = Look()
    try:
        _look_at_table(dataset, look)
    except DataError as error:
        look.problems.append(as_problem(error))
    return look


def _look_at_table(dataset: TableConfig, look: Look) -> None:
    table = read_label_table(dataset.table, dataset.folder, columns_of(dataset))
    layout = lay_out(table, dataset.classes)
    look.class_names = layout.class_names
    require_images(table, skips=dataset.on_corrupt == "skip")
    test = 0.0 if layout.splits else dataset.test_fraction
    is_given = "validation" in layout.files and dataset.folds is None
    validation = 0.0 if is_given else dataset.validation_fraction
    divided = ["train"]
    if dataset.folds is not None:
        divided = [split for split in layout.files if split != "test"]
    parts = (dataset.folds or 1 + bool(validation)) + bool(test)
    if dataset.has_several_labels:
        parts = 1  # it must be trained on, and need not be measured
    look.problems += _find_small(layout, divided, parts)
    if look.problems:
        return
    listed = [layout.files[split] for split in divided]
    files = sum(len(one.names) for one in listed)
    held_out = hold_out(dataset, validation)
    held_out = test + (held_out if dataset.folds is None else (1 - test) * held_out)
    trained = round(files * (1 - held_out))
    look.size = TrainingSize(trained, files, exact=not held_out)
    if held_out and files <= MOST_DIVIDED:
        look.size = divide(
            table.root,
            listed,
            layout.class_names,
            dataset=dataset,
            test=test,
            groups=groups_of(table),
        )


def _find_small(layout: Layout, divided: list[str], parts: int) -> Iterator[Problem]:
    """Yields a problem where classes have fewer images than there are parts."""
    labels = [n for split in divided for n in layout.files[split].labels]
    counts = Counter(number for label in labels for number in classes_of(label))
    few = [
        f"{name} ({counts[number]})"
        for number, name in enumerate(layout.class_names)
        if counts[number] < parts
    ]
    if few:
        reason = f"has too few images of {len(few):,} of its classes: "
        told = f"{reason}{name_some(few)}."
        told += f" Each is divided into {parts}." if parts > 1 else ""
        yield Problem(KEY, told, "Add images, or leave these classes out.")
