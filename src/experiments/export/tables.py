"""What was exported, as rows for people."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from experiments.counts import count_of, format_bytes, format_share
from experiments.export.formats import Format
from experiments.export.latency import BATCHES, Latency, describe_latency
from experiments.export.parity import Parity


@dataclass(frozen=True, kw_only=True)
class Exported:
    """A file of the bundle.

    Attributes:
        form: Its form.
        size: Bytes.
        parity: How close it is to the model.
        latency: How long it takes, a size of batch each; empty when not timed.
    """

    form: Format
    size: int
    parity: Parity
    latency: Sequence[Latency] = ()


def tabulate(
    exported: Sequence[Exported], keras_latency: Sequence[Latency] = ()
) -> tuple[list[str], list[list[str]]]:
    """Returns the heading and the rows of what was written, for people."""
    heading = ["file", "size", "agrees", "accuracy", "differs"]
    timed = bool(keras_latency)
    heading += [count_of(batch, "image") for batch in BATCHES] if timed else []
    rows = []
    if exported:
        accuracy = _percent(exported[0].parity.model_accuracy)
        times = describe_latency(keras_latency)
        rows.append(["(Keras)", "", "", accuracy, "", *times])
    for one in exported:
        parity = one.parity
        times = describe_latency(one.latency) if timed else []
        rows.append(
            [
                one.form.file,
                format_bytes(one.size),
                _percent(parity.agreement),
                _percent(parity.accuracy),
                f"{parity.largest_difference:.1e}",
                *times,
            ]
        )
    return heading, rows


def _percent(share: float | None) -> str:
    return "-" if share is None else format_share(share, 2)


def align_rows(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yields the rows of a table, the first column to the left, the others not."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for first, *others in rows:
        cells = zip(others, widths[1:], strict=True)
        yield "  ".join([first.ljust(widths[0]), *(c.rjust(w) for c, w in cells)])
