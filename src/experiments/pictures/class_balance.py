"""How many images each class has, as a picture."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from experiments.pictures.lettering import letter_classes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_COLOURS = {"train": "#0072b2", "validation": "#d55e00", "test": "#009e73"}
_MOST_NAMED = 40  # classes, of more only their order by size is drawn
_LONGEST = 40  # letters of a name


def draw_class_balance(
    counts: Mapping[str, Sequence[int]], class_names: Sequence[str]
) -> "Figure":
    """Draws the images of each class, the splits beside each other.

    Args:
        counts: Split -> images of each class.
        class_names: One name a class.

    Returns:
        A Matplotlib figure, made without pyplot: a bar for each of up to 40 classes, of
        more a curve from the largest to the smallest.
    """
    from experiments.pictures.picture import Picture

    if len(class_names) > _MOST_NAMED:
        figure = Picture(figsize=(9, 3.4), layout="constrained")
        _draw_curves(figure, counts)
    else:
        figure = Picture(
            figsize=(9, 1.2 + 0.3 * len(class_names)), layout="constrained"
        )
        _draw_bars(figure, counts, class_names)
    (axes,) = figure.axes
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside lower center", frameon=False, ncols=len(counts))
    return figure


def _draw_curves(figure: "Figure", counts: Mapping[str, Sequence[int]]) -> None:
    axes = figure.subplots()
    for split, numbers in counts.items():
        axes.plot(
            range(1, len(numbers) + 1),
            sorted(numbers, reverse=True),
            color=_COLOURS[split],
            label=split,
        )
    axes.set(xlabel="classes, the largest of each split first", ylabel="images")
    axes.set_ylim(bottom=0)


def _draw_bars(
    figure: "Figure", counts: Mapping[str, Sequence[int]], class_names: Sequence[str]
) -> None:
    axes = figure.subplots()
    places = np.arange(len(class_names))
    left = np.zeros(len(class_names))
    for split, numbers in counts.items():
        axes.barh(places, numbers, left=left, color=_COLOURS[split], label=split)
        left += np.asarray(numbers)
    lettering = letter_classes(class_names)
    axes.set_yticks(
        places,
        [lettering.write(n, i, width=_LONGEST) for i, n in enumerate(class_names)],
        parse_math=False,
        fontfamily=list(lettering.families),
    )
    axes.set_ylim(len(class_names) - 0.5, -0.5)
    axes.set_xlabel("images")
