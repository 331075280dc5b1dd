"""Which classes are taken for which, as a picture."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from experiments.pictures.lettering import letter_classes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Up to so many classes a cell says its count, an axis the names.
_COUNTED, _NAMED = 20, 100
_LONGEST_NAME = 20
_SMALLEST, _LARGEST = 4.5, 12.0  # inches


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
    from matplotlib.colors import PowerNorm

    from experiments.pictures.picture import Picture

    classes = len(class_names)
    side = float(np.clip(2.5 + 0.5 * classes, _SMALLEST, _LARGEST))
    figure = Picture(figsize=(side + 1, side), layout="constrained")
    axes = figure.add_subplot()
    support = counts.sum(axis=1, keepdims=True)
    shares = np.where(support > 0, counts / np.maximum(support, 1), np.nan)
    # Few of many are what one looks for: small shares get more of the colours.
    scale = PowerNorm(0.5, vmin=0, vmax=1)
    drawn = axes.imshow(shares, cmap="Blues", norm=scale, interpolation="nearest")
    figure.colorbar(drawn, ax=axes, shrink=0.8, label="share of the true class")
    axes.set(xlabel="predicted", ylabel="true")
    axes.set_title(title, parse_math=False)
    if classes <= _NAMED:
        _name_axes(axes, class_names)
    else:
        axes.set(xlabel="predicted (number of the class)", ylabel="true (number)")
    if classes <= _COUNTED:
        _write_counts(axes, counts, shares)
    return figure


def _name_axes(axes: "Axes", class_names: Sequence[str]) -> None:
    classes = len(class_names)
    size = float(np.clip(220 / classes, 4, 10))
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
    size = float(np.clip(120 / len(counts), 6, 12))
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
