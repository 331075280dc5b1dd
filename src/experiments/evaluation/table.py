"""Keeps predictions as a Parquet file beside the run that made them."""

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from experiments.errors import DataError
from experiments.evaluation.predictions import UNLABELLED, Predictions
from experiments.evaluation.several_labels.table import KIND
from experiments.files import drafting, open_new
from experiments.records import RecordError, read_bytes, stamp, unstamp

TOP = 5  # classes of each image that a reader finds ranked
_FACTS = b"experiments"
_MOST_BYTES = 2 * 2**30
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
    table = pa.table(
        {
            "sample": pa.array(p.samples, pa.string()),
            "digest": pa.array(p.digests, pa.string()),
            "split": pa.array(p.split, pa.string()).dictionary_encode(),
            "truth": pa.array(p.truth, pa.int32(), mask=p.truth == UNLABELLED),
            "predicted": pa.array(p.predicted, pa.int32()),
            "confidence": pa.array(p.confidence, pa.float32()),
            "top_classes": _as_rows(best, pa.int32()),
            "top_probabilities": _as_rows(shares, pa.float32()),
            "outputs": _as_rows(p.outputs, pa.float32()),
        }
    ).replace_schema_metadata({_FACTS: json.dumps(stamp(facts)).encode()})
    with drafting(path) as draft, open_new(draft) as file:
        pq.write_table(table, file, compression="zstd")


def read_predictions(path: Path) -> Predictions:
    """Reads what `write_predictions` wrote.

    Raises:
        FileNotFoundError: It is absent.
        NewerRecordError: A later release wrote it.
        RecordError: It is damaged, or no such table.
    """
    content = read_bytes(path, limit=_MOST_BYTES)
    try:
        table = pq.read_table(io.BytesIO(content))
        facts = _read_facts(table.schema.metadata, path)
        columns = table.select(["sample", "digest", "split", "truth", "outputs"])
        return Predictions(
            samples=columns["sample"].to_pylist(),
            digests=columns["digest"].to_pylist(),
            truth=columns["truth"].fill_null(UNLABELLED).to_numpy(),
            outputs=_read_rows(columns["outputs"], len(facts["class_names"])),
            kind=facts["kind"],
            split=columns["split"].to_pylist(),
            class_names=tuple(facts["class_names"]),
            facts=facts["facts"],
        )
    except SeveralLabelsError:
        raise
    except (pa.ArrowException, DataError, KeyError, TypeError, ValueError) as error:
        raise RecordError(path, f"it is no table of predictions ({error})") from error


def _as_rows(values: Any, kind: pa.DataType) -> pa.Array:
    """Returns a matrix as one column of lists of equal length."""
    flat = pa.array(np.ascontiguousarray(values).reshape(-1), kind)
    return pa.FixedSizeListArray.from_arrays(flat, values.shape[1])


def _read_rows(column: pa.ChunkedArray, width: int) -> Any:
    flat = column.combine_chunks().flatten().to_numpy(zero_copy_only=False)
    return flat.reshape(len(column), width)


def _read_facts(metadata: Mapping[bytes, bytes] | None, path: Path) -> dict[str, Any]:
    facts, _ = unstamp(json.loads((metadata or {})[_FACTS]), path)
    if not isinstance(facts, dict) or facts.keys() != set(_NAMES):
        raise ValueError("its metadata is not that of predictions")
    if facts["kind"] == KIND:
        raise SeveralLabelsError(path)
    if facts["kind"] not in ("logits", "probabilities"):
        raise ValueError(f"its outputs are {facts['kind']!r}")
    return facts
