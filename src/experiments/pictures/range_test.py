"""Losses over rising learning rates as a picture."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")


def draw_range_test(
    curves: Mapping[str, tuple[Sequence[float], Sequence[float], Sequence[float]]],
    *,
    marked: Mapping[str, float],
) -> "Figure":
    """Draws each training's losses over its rates.

    Args:
        curves: What tells a training from the others -> rates, losses and smoothed
            losses of its steps.
        marked: Name -> rate, as a vertical line each.

    Returns:
        A Matplotlib figure, made without pyplot.
    """
    from experiments.pictures.picture import Picture

    figure = Picture(figsize=(9, 4.5), layout="constrained")
    axes = figure.subplots()
    fallen: list[tuple[float, float]] = []
    for number, (name, (rates, losses, smoothed)) in enumerate(curves.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        axes.plot(rates, losses, color=colour, alpha=0.25, lw=1)
        axes.plot(rates, smoothed, color=colour, lw=2, label=name)
        fallen.extend(_find_fall(smoothed))
    styles = ("-", "--", ":")
    for number, (name, rate) in enumerate(marked.items()):
        style = styles[number % len(styles)]
        axes.axvline(rate, color="#333333", ls=style, lw=1.2, label=name)
    axes.set_xscale("log")
    axes.set(xlabel="learning rate", ylabel="loss of a step, and smoothed")
    if fallen:  # how far a lost training went would make the rest a flat line
        top, bottom = max(top for top, _ in fallen), min(least for _, least in fallen)
        room = max(top - bottom, 0.05 * abs(top), 1e-9)
        axes.set_ylim(bottom - 0.2 * room, top + 0.3 * room)
    axes.grid(alpha=0.3, which="both")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    return figure


def _find_fall(smoothed: Sequence[float]) -> Iterator[tuple[float, float]]:
    """Yields the highest loss until the least one, and that; nothing without any."""
    finite = [loss if math.isfinite(loss) else math.inf for loss in smoothed]
    least = min(finite, default=math.inf)
    if math.isfinite(least):
        yield max(finite[: 1 + finite.index(least)]), least
