"""The Parquet file of predictions: columns of a row an image, and facts beside them."""

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from experiments.files import drafting, open_new
from experiments.records import read_bytes, stamp, unstamp

_FACTS = b"experiments"
_MOST_BYTES = 2 * 2**30


def write_columns(
    path: Path, columns: Mapping[str, pa.Array], facts: Mapping[str, Any]
) -> None:
    """Writes a table; the file appears when it is whole.

    Args:
        path: Where.
        columns: By their names, of equal length.
        facts: Stand in the file's metadata, under `experiments`, as JSON.
    """
    metadata = {_FACTS: json.dumps(stamp(facts)).encode()}
    table = pa.table(dict(columns)).replace_schema_metadata(metadata)
    with drafting(path) as draft, open_new(draft) as file:
        pq.write_table(table, file, compression="zstd")


def read_columns(path: Path) -> tuple[pa.Table, Any]:
    """Reads a table and its facts.

    Raises:
        FileNotFoundError: It is absent.
        NewerRecordError: A later release wrote it.
        pa.ArrowException: It is damaged.
        KeyError: It has no facts.
        ValueError: They are no JSON.
    """
    table = pq.read_table(io.BytesIO(read_bytes(path, limit=_MOST_BYTES)))
    facts, _ = unstamp(json.loads((table.schema.metadata or {})[_FACTS]), path)
    return table, facts


def as_rows(values: Any, kind: pa.DataType) -> pa.Array:
    """Returns a matrix as one column of lists of equal length."""
    flat = pa.array(np.ascontiguousarray(values).reshape(-1), kind)
    return pa.FixedSizeListArray.from_arrays(flat, values.shape[1])


def read_rows(column: pa.ChunkedArray, width: int) -> Any:
    """Returns the matrix that `as_rows` was given."""
    flat = column.combine_chunks().flatten().to_numpy(zero_copy_only=False)
    return flat.reshape(len(column), width)
