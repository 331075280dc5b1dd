"""Writes what a model says of files while it says it, as rows for people and programs.

Any number of rows takes the memory of one batch.
"""

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from experiments.evaluation.predictions import Predictions
from experiments.files import drafting, open_new
from experiments.records import stamp

Format = Literal["csv", "parquet"]
Write = Callable[[Predictions], None]
_FACTS = b"experiments"
_ROWS_A_GROUP = 10_000  # of Parquet, which is read by groups


def name_columns(ranked: int, each: Sequence[str] | None = None) -> list[str]:
    """Returns the names of the columns.

    Args:
        ranked: How many of the likeliest classes a row has.
        each: Where an image may have several labels, the classes, all of which a row
            has; `None` elsewhere.
    """
    if each is not None:
        return ["file", "labels", *(f"probability_{name}" for name in each)]
    names = ["file", "label", "probability"]
    for place in range(2, ranked + 1):
        names += [f"label_{place}", f"probability_{place}"]
    return names


def list_columns(predictions: Predictions, ranked: int) -> list[Sequence[Any]]:
    """Returns the content of the columns, of N files.

    Args:
        predictions: N rows.
        ranked: As above.
    """
    if predictions.has_several_labels:
        called = [
            "; ".join(predictions.list_called(n)) for n in range(len(predictions))
        ]
        return [predictions.samples, called, *predictions.probabilities.T.tolist()]
    best = predictions.ranking[:, :ranked]
    shares = np.take_along_axis(predictions.probabilities, best, 1)
    columns: list[Sequence[Any]] = [predictions.samples]
    for place in range(ranked):
        columns.append([predictions.class_names[number] for number in best[:, place]])
        columns.append(shares[:, place].tolist())
    return columns


@contextmanager
def open_answers(
    path: Path,
    form: Format,
    *,
    ranked: int,
    facts: Mapping[str, Any],
    each: Sequence[str] | None = None,
) -> Iterator[Write]:
    """Yields what appends predictions to a file, which is there once the block ends.

    | column | what |
    | --- | --- |
    | `file` | its name |
    | `label`, `probability` | the likeliest class, and how likely |
    | `label_2`, `probability_2`, ... | the next ones |

    Of several labels an image:

    | column | what |
    | --- | --- |
    | `file` | its name |
    | `labels` | those with a probability above 0.5, with `; ` between them |
    | `probability_cat`, ... | of each class, in the model's order |

    Args:
        path: The file.
        form: `csv`, UTF-8 with a head; `parquet`, with the facts in its metadata.
        ranked: How many classes a row has, see `name_columns`.
        facts: What the answers were made of.
        each: The classes where an image may have several labels, see `name_columns`.
    """
    names = name_columns(ranked, each)
    opened = _open_csv if form == "csv" else _open_parquet
    with drafting(path) as draft, opened(draft, names, ranked, facts) as write:
        yield write


@contextmanager
def _open_csv(
    path: Path, names: Sequence[str], ranked: int, facts: Mapping[str, Any]
) -> Iterator[Write]:
    with (
        open_new(path) as raw,
        TextIOWrapper(raw, encoding="utf-8", newline="") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(names)

        def write(predictions: Predictions) -> None:
            columns = list_columns(predictions, ranked)
            for row in zip(*columns, strict=True):
                writer.writerow(_shorten(value) for value in row)

        yield write


def _shorten(value: Any) -> Any:
    return f"{value:.6g}" if isinstance(value, float) else value


@contextmanager
def _open_parquet(
    path: Path, names: Sequence[str], ranked: int, facts: Mapping[str, Any]
) -> Iterator[Write]:
    kinds = [
        pa.float32() if name.startswith("probability") else pa.string()
        for name in names
    ]
    schema = pa.schema(
        list(zip(names, kinds, strict=True)),
        metadata={_FACTS: json.dumps(stamp(dict(facts))).encode()},
    )
    waiting: list[pa.Table] = []
    with (
        open_new(path) as file,
        pq.ParquetWriter(file, schema, compression="zstd") as writer,
    ):

        def flush() -> None:
            if waiting:
                writer.write_table(pa.concat_tables(waiting).combine_chunks())
                waiting.clear()

        def write(predictions: Predictions) -> None:
            columns = list_columns(predictions, ranked)
            waiting.append(pa.table(columns, schema=schema))
            if sum(map(len, waiting)) >= _ROWS_A_GROUP:
                flush()

        yield write
        flush()
