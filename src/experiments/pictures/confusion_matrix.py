"""Which classes are taken for which, as a picture."""

from collections.abc import Sequence
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from experiments.pictures.lettering import letter_classes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Up to so many classes a cell says its count, an axis the names. Of more, those are
# shown large that are confused most, and below them a map of all.
_COUNTED, _NAMED = 20, 40
_LONGEST_NAME = 20
_SMALLEST, _LARGEST = 4.5, 12.0  # inches
_LETTER = 7.0  # points that one of a heading takes
_CELLS = 250  # of the map, a side: a single image among a thousand classes must show


def draw_confusion_matrix(
    counts: npt.NDArray[np.int64], class_names: Sequence[str], *, title: str = ""
) -> "Figure":
    """Draws how many images of each class were called what.

    The colour is the share of the row's class, so that small classes show as well as
    large ones; a class without an image has an empty row.

    Args:
        counts: int `(C, C)`; row i, column j: images of class i that were called j.
        class_names: Name of each class.
        title: Heading.

    Returns:
        A Matplotlib figure, made without pyplot.
    """
    from experiments.pictures.picture import Picture

    classes = len(class_names)
    support = counts.sum(axis=1, keepdims=True)
    shares = np.where(support > 0, counts / np.maximum(support, 1), np.nan)
    if classes <= _NAMED:
        side = float(np.clip(2.5 + 0.5 * classes, _SMALLEST, _LARGEST))
        figure = Picture(figsize=(side + 1, side), layout="constrained")
        _head(figure, title)
        _draw_named(figure.add_subplot(), counts, shares, class_names)
        return figure
    figure = Picture(figsize=(_LARGEST, 2 * _LARGEST - 2), layout="constrained")
    _head(figure, title)
    above, below = figure.subplots(2, 1)
    chosen = _choose_confused(counts)
    cut = np.ix_(chosen, chosen)
    _draw_named(above, counts[cut], shares[cut], [class_names[i] for i in chosen])
    above.set_title(f"the {len(chosen)} classes that are confused most")
    _draw_map(below, shares)
    return figure


def _head(figure: "Figure", title: str) -> None:
    """Writes a heading over the whole width, in lines that it has room for."""
    columns = int(72 * figure.get_figwidth() / _LETTER)
    figure.suptitle(fill(title, columns), parse_math=False)


def _choose_confused(counts: npt.NDArray[np.int64]) -> list[int]:
    """Returns the classes of the most frequent confusions, in their order."""
    wrong = counts.copy()
    np.fill_diagonal(wrong, 0)
    chosen: dict[int, None] = {}
    for place in np.argsort(-wrong, axis=None, kind="stable").tolist():
        chosen.update(dict.fromkeys(divmod(place, len(counts))))
        if len(chosen) >= _COUNTED:
            break
    return sorted([*chosen][:_COUNTED])


def _draw_named(
    axes: "Axes",
    counts: npt.NDArray[np.int64],
    shares: npt.NDArray[np.float64],
    class_names: Sequence[str],
) -> None:
    """Draws a matrix whose rows and columns have names."""
    _draw_shares(axes, shares)
    axes.set(xlabel="predicted", ylabel="true")
    _name_axes(axes, class_names)
    if len(class_names) <= _COUNTED:
        _write_counts(axes, counts, shares)


def _draw_map(axes: "Axes", shares: npt.NDArray[np.float64]) -> None:
    """Draws a matrix of any size; a cell has the largest share of those in it."""
    classes = len(shares)
    step = -(-classes // _CELLS)
    starts = np.arange(0, classes, step)
    with np.errstate(invalid="ignore"):
        rows = np.fmax.reduceat(shares, starts, axis=0)
        cells = np.fmax.reduceat(rows, starts, axis=1)
    end = len(cells) * step - 0.5
    _draw_shares(axes, cells, extent=(-0.5, end, end, -0.5))
    axes.set(xlabel="predicted (number of the class)", ylabel="true (number)")
    axes.set_title(f"all {classes:,} classes, by their numbers from 0 on")


def _draw_shares(axes: "Axes", shares: npt.NDArray[np.float64], **place: Any) -> None:
    from matplotlib.colors import PowerNorm

    # Few of many are what one looks for: small shares get more of the colours.
    scale = PowerNorm(0.5, vmin=0, vmax=1)
    drawn = axes.imshow(
        shares, cmap="Blues", norm=scale, interpolation="nearest", **place
    )
    label = "share of the true class"
    axes.figure.colorbar(drawn, ax=axes, shrink=0.8, label=label)


def _name_axes(axes: "Axes", class_names: Sequence[str]) -> None:
    classes = len(class_names)
    size = float(np.clip(320 / classes, 7, 10))
    lettering = letter_classes(class_names)
    names = [
        lettering.write(name, label, width=_LONGEST_NAME)
        for label, name in enumerate(class_names)
    ]
    places = range(classes)
    long = classes > _COUNTED or max(map(len, names)) > 3
    axes.set_xticks(places, names, fontsize=size, rotation=90 if long else 0)
    axes.set_yticks(places, names, fontsize=size)
    for label in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        label.set(parse_math=False, fontfamily=list(lettering.families))


def _write_counts(
    axes: "Axes", counts: npt.NDArray[np.int64], shares: npt.NDArray[np.float64]
) -> None:
    size = float(np.clip(170 / len(counts), 8, 12))
    for row, column in zip(*np.nonzero(counts), strict=True):
        axes.text(
            column,
            row,
            f"{counts[row, column]:,}",
            ha="center",
            va="center",
            fontsize=size,
            color="white" if shares[row, column] > 0.3 else "black",
        )
