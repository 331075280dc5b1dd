"""A Parquet file as a table of texts."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from experiments.config.kinds.label_table import KEY, MOST_BYTES, Table
from experiments.errors import DataError


def list_columns(path: Path) -> list[str]:
    """Returns the names of the columns.

    Raises:
        DataError: It is no whole Parquet file.
    """
    try:
        return list(pq.read_schema(path).names)
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{KEY} is no whole Parquet file: {path}.") from error


def read_parquet(path: Path, columns: Sequence[str]) -> Table:
    """Reads columns of texts or numbers; a number becomes the text that people write.

    Args:
        path: The file.
        columns: Which; all of them are there.

    Raises:
        DataError: It is damaged or too large, or a column holds something else.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise DataError(f"{KEY} must have at most 1 GiB. Received: {path}.")
        table = pq.read_table(path, columns=list(columns))
        values = {name: table.column(name).to_pylist() for name in columns}
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{KEY} is no whole Parquet file: {path}.") from error
    for name, cells in values.items():
        other = next((c for c in cells if not isinstance(c, _Plain)), None)
        if other is not None:
            raise DataError(
                f"{KEY} must hold texts or numbers under {name}. Received: "
                f"{type(other).__name__} in {path}."
            )
    rows = zip(*(map(_write, values[name]) for name in columns), strict=True)
    return Table(
        columns=list(columns),
        rows=[(number, list(cells)) for number, cells in enumerate(rows, 1)],
        unit="row",
    )


_Plain = str | int | float | None


def _write(value: Any) -> str:
    if value is None or value != value:  # no number, where pandas had none
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
