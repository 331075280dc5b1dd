"""Keeps predictions as a Parquet file beside the run that made them."""

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
from experiments.evaluation.predictions import UNLABELLED, Predictions
from experiments.evaluation.several_labels.table import KIND
from experiments.records import RecordError

TOP = 5  # classes of each image that a reader finds ranked
_NAMES = ("kind", "class_names", "facts")


class SeveralLabelsError(RecordError):
    """Predictions of several labels an image, read as if there were one each.

    Args:
        path: The table.
    """

    def __init__(self, path: Path | str) -> None:
        super().__init__(path, "its images may have several labels")
        self.args = (
            f"{path} is of images that may have several labels each, which are not "
            "compared image by image.",
        )

    def __reduce__(self) -> tuple[type, tuple[Path | str]]:  # type: ignore[override]
        """Comes back from a launcher's worker as it was raised."""
        return type(self), (self.path,)


def write_predictions(path: Path, predictions: Predictions) -> None:
    """Writes predictions as a table of one row an image.

    | column | what |
    | --- | --- |
    | `sample`, `digest`, `split` | which image |
    | `truth` | number of its class; null where none is known |
    | `predicted`, `confidence` | the likeliest class and its probability |
    | `top_classes`, `top_probabilities` | the five likeliest |
    | `outputs` | of the model, one a class, float32 |

    Class names, what the outputs are and what they were made of stand in the file's
    metadata, under `experiments`, as JSON.
    """
    p = predictions
    best = p.ranking[:, :TOP]
    shares = np.take_along_axis(p.probabilities, best, 1)
    facts = {"kind": p.kind, "class_names": list(p.class_names), "facts": dict(p.facts)}
    columns = {
        "sample": pa.array(p.samples, pa.string()),
        "digest": pa.array(p.digests, pa.string()),
        "split": pa.array(p.split, pa.string()).dictionary_encode(),
        "truth": pa.array(p.truth, pa.int32(), mask=p.truth == UNLABELLED),
        "predicted": pa.array(p.predicted, pa.int32()),
        "confidence": pa.array(p.confidence, pa.float32()),
        "top_classes": as_rows(best, pa.int32()),
        "top_probabilities": as_rows(shares, pa.float32()),
        "outputs": as_rows(p.outputs, pa.float32()),
    }
    write_columns(path, columns, facts)


def read_predictions(path: Path) -> Predictions:
    """Reads what `write_predictions` wrote.

    Raises:
        FileNotFoundError: It is absent.
        NewerRecordError: A later release wrote it.
        RecordError: It is damaged, or no such table.
    """
    try:
        table, facts = read_columns(path)
        _check_facts(facts, path)
        columns = table.select(["sample", "digest", "split", "truth", "outputs"])
        return Predictions(
            samples=columns["sample"].to_pylist(),
            digests=columns["digest"].to_pylist(),
            truth=columns["truth"].fill_null(UNLABELLED).to_numpy(),
            outputs=read_rows(columns["outputs"], len(facts["class_names"])),
            kind=facts["kind"],
            split=columns["split"].to_pylist(),
            class_names=tuple(facts["class_names"]),
            facts=facts["facts"],
        )
    except RecordError:
        raise
    except (pa.ArrowException, DataError, KeyError, TypeError, ValueError) as error:
        raise RecordError(path, f"it is no table of predictions ({error})") from error


def _check_facts(facts: Any, path: Path) -> None:
    if not isinstance(facts, dict) or facts.keys() != set(_NAMES):
        raise ValueError("its metadata is not that of predictions")
    if facts["kind"] == KIND:
        raise SeveralLabelsError(path)
    if facts["kind"] not in ("logits", "probabilities"):
        raise ValueError(f"its outputs are {facts['kind']!r}")
