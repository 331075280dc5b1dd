"""The scores of a sweep's jobs beside each other."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from experiments.pictures.lettering import choose_lettering, shorten

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST = 30  # rows
_LONGEST = 60  # letters of a name
_BEST, _OTHERS = "#d55e00", "#0072b2"


def draw_results(
    names: Sequence[str], values: Sequence[float], *, metric: str
) -> "Figure":
    """Draws a dot for each job on the scale of its score, the best at the top.

    Args:
        names: Of the jobs, from the best to the worst, at least one.
        values: Their scores.
        metric: Of which.

    Returns:
        A Matplotlib figure of the first 30, made without pyplot.
    """
    from experiments.pictures.picture import Picture

    shown = min(len(names), _MOST)
    rows = range(shown)
    figure = Picture(figsize=(9, 1.3 + 0.28 * shown), layout="constrained")
    axes = figure.subplots()
    colours = [_BEST, *[_OTHERS] * (shown - 1)]
    axes.scatter(values[:shown], rows, c=colours, s=40, zorder=3)
    lettering = choose_lettering(names[:shown])
    axes.set_yticks(
        rows,
        [shorten(lettering.replace(name), _LONGEST) for name in names[:shown]],
        parse_math=False,
        fontfamily=list(lettering.families),
    )
    axes.set_ylim(shown - 0.5, -0.5)
    axes.set_xlabel(metric, parse_math=False)
    axes.grid(alpha=0.3)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    if shown < len(names):
        axes.set_title(f"the best {shown} of {len(names)}", fontsize="medium")
    return figure
