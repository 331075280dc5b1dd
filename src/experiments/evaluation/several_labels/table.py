"""Keeps predictions of several labels an image as a Parquet file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from experiments.errors import DataError
from experiments.evaluation.prediction_file import (
    as_rows,
    read_columns,
    read_rows,
    write_columns,
)
from experiments.evaluation.several_labels.predictions import SeveralPredictions
from experiments.records import RecordError

KIND = "several_labels"  # beside `logits` and `probabilities` of one label an image


def write_several(path: Path, predictions: SeveralPredictions) -> None:
    """Writes predictions as a table of one row an image.

    | column | what |
    | --- | --- |
    | `sample`, `digest`, `split` | which image |
    | `truth` | the names of its classes |
    | `predicted` | those with a probability above 0.5 |
    | `probabilities` | of each class, float32 |
    | `outputs` | of the model, logits, float32 |

    Class names, the kind and what the predictions were made of stand in the file's
    metadata, under `experiments`, as JSON.
    """
    p = predictions
    facts = {"kind": KIND, "class_names": list(p.class_names), "facts": dict(p.facts)}
    columns = {
        "sample": pa.array(p.samples, pa.string()),
        "digest": pa.array(p.digests, pa.string()),
        "split": pa.array([p.split] * len(p), pa.string()),
        "truth": pa.array(_name(p.truth, p.class_names), pa.list_(pa.string())),
        "predicted": pa.array(_name(p.called, p.class_names), pa.list_(pa.string())),
        "probabilities": as_rows(p.probabilities, pa.float32()),
        "outputs": as_rows(p.outputs, pa.float32()),
    }
    write_columns(path, columns, facts)


def read_several(path: Path) -> SeveralPredictions:
    """Reads what `write_several` wrote.

    Raises:
        FileNotFoundError: It is absent.
        NewerRecordError: A later release wrote it.
        RecordError: It is damaged, or no such table.
    """
    try:
        table, facts = read_columns(path)
        if not isinstance(facts, Mapping) or facts["kind"] != KIND:
            raise ValueError("its images have one label each")
        names = tuple(facts["class_names"])
        return SeveralPredictions(
            samples=table["sample"].to_pylist(),
            digests=table["digest"].to_pylist(),
            truth=_number(table["truth"].to_pylist(), names),
            outputs=read_rows(table["outputs"], len(names)),
            split=next(iter(table["split"].to_pylist()), ""),
            class_names=names,
            facts=facts["facts"],
        )
    except RecordError:
        raise
    except (pa.ArrowException, DataError, KeyError, TypeError, ValueError) as error:
        raise RecordError(path, f"it is no table of predictions ({error})") from error


def _name(rows: Any, names: tuple[str, ...]) -> list[list[str]]:
    return [[names[number] for number in np.flatnonzero(row)] for row in rows]


def _number(rows: list[list[str]], names: tuple[str, ...]) -> Any:
    numbers = {name: number for number, name in enumerate(names)}
    truth = np.zeros((len(rows), len(names)), np.uint8)
    for row, there in zip(truth, rows, strict=True):
        row[[numbers[name] for name in there]] = 1
    return truth
