"""What a trained model says of files as rows of plain data, for scripts."""

from collections.abc import Sequence
from typing import Any

from experiments.evaluation.reporting.answer_table import list_columns, name_columns
from experiments.trained.answers import answer_files
from experiments.trained.trained import Trained


def list_rows(
    trained: Trained, paths: Sequence[str], *, top: int, batch_size: int
) -> list[dict[str, Any]]:
    """Returns a row for each file, in their order.

    Args:
        trained: The model, with its framework set up.
        paths: The files.
        top: How many of the likeliest classes a row has.
        batch_size: Images that the model is asked about at once.

    Returns:
        Column, as of `predictions.csv`, -> value; and `fault`, why a file that has no
        other values is no image.
    """
    ranked = min(top, len(trained.class_names))
    several = trained.has_several_labels
    names = name_columns(ranked, trained.class_names if several else None)
    rows: list[dict[str, Any]] = []
    faults: dict[str, str] = {}
    for one in answer_files(trained, paths, batch_size=batch_size, name=str):
        columns = list_columns(one.predictions, ranked)
        found = zip(*columns, strict=True)
        rows += [dict(zip(names, row, strict=True), fault=None) for row in found]
        faults |= {bad.file: bad.reason for bad in one.unreadable}
    read = iter(rows)
    empty = dict.fromkeys(names)
    return [
        {**empty, "file": path, "fault": faults[path]} if path in faults else next(read)
        for path in paths
    ]
