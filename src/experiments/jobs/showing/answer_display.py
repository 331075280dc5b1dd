"""What a person sees of what a model said of files."""

from collections.abc import Mapping, Sequence

from rich.cells import cell_len
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
        several = [
            (p.samples[row], _name_called(p, row), _rank(p, row)) for p, row in rows
        ]
        _show_files(("file", "labels", "likeliest"), several)
        return
    single = []
    for p, row in rows:
        number = p.ranking[row, 0]
        share = format_share(p.probabilities[row, number], 1)
        further = _rank(p, row, first=1)
        single.append((p.samples[row], p.class_names[number], share, further))
    _show_files(("file", "label", "probability", "next"), single)


def _rank(predictions: Predictions, row: int, *, first: int = 0) -> str:
    """Returns the likeliest classes of a file, from the first one that is wanted."""
    shares, names = predictions.probabilities[row], predictions.class_names
    ranked = predictions.ranking[row, first : 1 + _NEXT].tolist()
    return ", ".join(f"{names[n]} {format_share(shares[n], 1)}" for n in ranked)


def _show_files(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Prints a row a file; on a terminal its end, and the last cell's beginning."""
    console = open_console(whole=True)
    table = Table(box=None)
    for name in head:
        is_number = name == "probability"
        table.add_column(
            name,
            justify="right" if is_number else "left",
            overflow="fold",
            no_wrap=is_number or name == "file",
        )
    for cells in rows:
        file, *middle, last = map(make_printable, cells)
        shown = Text(last, no_wrap=True, overflow="ellipsis")  # the file has the whole
        table.add_row(_cut_front(file, console.width // 2), *map(Text, middle), shown)
    print()
    console.print(table)


def _cut_front(text: str, width: int) -> Text:
    if cell_len(text) <= width:
        return Text(text)
    while cell_len(text) >= width:
        text = text[1:]
    return Text(f"…{text}")


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
