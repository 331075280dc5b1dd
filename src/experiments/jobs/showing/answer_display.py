"""What a person sees of what a model said of files."""

from collections.abc import Mapping, Sequence

from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from experiments.counts import count_of, format_share
from experiments.errors import make_printable
from experiments.evaluation.predictions import Predictions
from experiments.screen import open_console

_NEXT = 2  # classes beside the likeliest one
_BAR = 30  # columns
_CLASSES = 8  # that are counted in a line


def show_one(predictions: Predictions, *, ranked: int) -> None:
    """Prints the likeliest classes of the only file as bars.

    Args:
        predictions: One row.
        ranked: How many classes.
    """
    print(f"\n{predictions.samples[0]}")
    if predictions.has_several_labels:
        print(f"shows {make_printable(_name_called(predictions, 0))}\n")
    table = Table.grid(padding=(0, 2))
    for number in predictions.ranking[0, :ranked].tolist():
        share = float(predictions.probabilities[0, number])
        bar = ProgressBar(total=1.0, completed=share, width=_BAR)
        name = Text(make_printable(predictions.class_names[number]))
        table.add_row("", name, Text(format_share(share, 1), justify="right"), bar)
    open_console().print(table)


def show_some(found: Sequence[Predictions], *, most: int) -> None:
    """Prints what was said of the first files as a table.

    Args:
        found: The first batches.
        most: Files.
    """
    rows = [(p, row) for p in found for row in range(len(p))][:most]
    if rows and rows[0][0].has_several_labels:
        _show_several(rows)
        return
    table = Table("file", "label", "probability", "next", box=None)
    table.columns[0].overflow = table.columns[1].overflow = "fold"
    table.columns[2].justify = "right"
    table.columns[3].no_wrap = True  # the table on the disk has the whole
    for predictions, row in rows:
        first, *others = predictions.ranking[row, : 1 + _NEXT].tolist()
        shares = predictions.probabilities[row]
        names = predictions.class_names
        further = ", ".join(f"{names[n]} {format_share(shares[n], 1)}" for n in others)
        cells = (predictions.samples[row], names[first], format_share(shares[first], 1))
        table.add_row(*(Text(make_printable(cell)) for cell in (*cells, further)))
    print()
    open_console().print(table)


def _show_several(rows: Sequence[tuple[Predictions, int]]) -> None:
    table = Table("file", "labels", "likeliest", box=None)
    table.columns[0].overflow = table.columns[1].overflow = "fold"
    table.columns[2].no_wrap = True
    for predictions, row in rows:
        best = predictions.ranking[row, : 1 + _NEXT].tolist()
        shares, names = predictions.probabilities[row], predictions.class_names
        further = ", ".join(f"{names[n]} {format_share(shares[n], 1)}" for n in best)
        cells = (predictions.samples[row], _name_called(predictions, row), further)
        table.add_row(*(Text(make_printable(cell)) for cell in cells))
    print()
    open_console().print(table)


def _name_called(predictions: Predictions, row: int) -> str:
    return "; ".join(predictions.list_called(row)) or "(none)"


def describe_counts(counts: Mapping[str, int]) -> str:
    """Returns how many files were taken for which class, the most frequent first."""
    largest = sorted(counts.items(), key=lambda item: -item[1])
    words = [f"{name}: {count:,}" for name, count in largest[:_CLASSES]]
    more = len(largest) - _CLASSES
    words += [f"{count_of(more, 'other class', 'other classes')}"] if more > 0 else []
    return make_printable(", ".join(words))


def describe_speed(speed: float) -> str:
    """Returns images a second in words."""
    return f"{speed:.0f} images/s" if speed >= 10 else f"{speed:.1f} images/s"
