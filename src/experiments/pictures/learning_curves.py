"""The learning curves of a run as one picture."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from experiments.counts import join_words

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# The second panel has the first of these that an epoch has.
_SCORES = ("accuracy", "map")
_OF_TRAINING = {"map": "pr_auc"}  # what is nearest to it, of the training
# Prefix of a metric's name, its label, and a pair of colours for the colour-blind.
_CURVES = (("", "training", "#0072b2"), ("val_", "validation", "#d55e00"))
_BEST_COLOUR = "#555555"
_BORDER_COLOUR = "#009e73"
_MARKED_EPOCHS = 30  # up to here each epoch is a dot
# Of the figure. A layout that is worked out takes longer than the drawing.
_MARGINS = {"left": 0.06, "right": 0.985, "top": 0.92, "bottom": 0.21, "wspace": 0.14}


def draw_learning_curves(
    epochs: Sequence[Mapping[str, float]],
    *,
    best_epoch: int | None = None,
    first_epoch: int = 1,
    label_smoothing: float = 0.0,
    borders: Sequence[int] = (),
    loss: Sequence[str] = (),
) -> "Figure":
    """Returns a picture of loss and accuracy, or another score, over the epochs.

    Args:
        epochs: Metrics of each epoch in order: `loss`, `accuracy` and the same with
            `val_` before. A metric that is absent or NaN leaves a gap.
        best_epoch: Number of the epoch that was kept.
        first_epoch: Number of the first of `epochs`.
        label_smoothing: Of the training loss, which is then said to be another loss
            than that of the validation.
        borders: Numbers of the epochs after which another phase of the training begins.
        loss: What else makes it another one, in words.

    Returns:
        A Matplotlib figure of two panels, made without pyplot.
    """
    from experiments.pictures.picture import Picture

    figure = Picture(figsize=(10, 4.2))
    numbers = range(first_epoch, first_epoch + len(epochs))
    panels = figure.subplots(1, 2, gridspec_kw=_MARGINS)
    measured = {name.removeprefix("val_") for epoch in epochs for name in epoch}
    score = next((name for name in _SCORES if name in measured), _SCORES[0])
    for axes, metric in zip(panels, ("loss", score), strict=True):
        _draw_curves(axes, numbers, epochs, metric)
        axes.set_title(metric)
        if best_epoch is not None and best_epoch in numbers:
            kept = epochs[best_epoch - first_epoch]
            _mark_best(axes, best_epoch, kept.get(f"val_{metric}", math.nan))
        _mark_borders(axes, [n for n in borders if n in numbers[:-1]])
        _dress(axes)
    smoothing = [f"label smoothing of {label_smoothing:g}"] if label_smoothing else []
    if differences := [*loss, *smoothing]:
        panels[0].set_xlabel(f"epoch (training with {join_words(differences)})")
    _add_legend(figure)
    return figure


def _draw_curves(
    axes: "Axes", numbers: range, epochs: Sequence[Mapping[str, float]], metric: str
) -> None:
    marker = "o" if len(epochs) <= _MARKED_EPOCHS else ""
    for prefix, label, colour in _CURVES:
        name = prefix + metric if prefix else _OF_TRAINING.get(metric, metric)
        values = [epoch.get(name, math.nan) for epoch in epochs]
        if not all(math.isnan(value) for value in values):
            axes.plot(
                numbers, values, color=colour, label=label, marker=marker, markersize=4
            )


def _mark_best(axes: "Axes", number: int, value: float) -> None:
    """Draws a line at the kept epoch and says its validation value in the title."""
    axes.axvline(number, color=_BEST_COLOUR, ls="--", lw=1, label="best epoch")
    if not math.isnan(value):
        validation = _CURVES[1][2]
        axes.plot(number, value, "o", ms=9, mfc="none", mec=validation, mew=1.5)
        title = axes.get_title()
        axes.set_title(f"{title} (validation, best epoch {number}: {value:.4f})")


def _mark_borders(axes: "Axes", epochs: Sequence[int]) -> None:
    """Draws a line between the last epoch of a phase and the first one of the next."""
    for number, epoch in enumerate(epochs):
        label = "next phase" if number == 0 else None
        axes.axvline(epoch + 0.5, color=_BORDER_COLOUR, ls=":", lw=1.5, label=label)


def _dress(axes: "Axes") -> None:
    from matplotlib.ticker import MaxNLocator

    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)


def _add_legend(figure: "Figure") -> None:
    """Puts one legend for both panels below them, where it covers no curve."""
    entries: dict[str, Artist] = {}
    for axes in figure.axes:
        handles, labels = axes.get_legend_handles_labels()
        entries.update(zip(labels, handles, strict=True))
    if entries:
        figure.legend(
            handles=entries.values(),
            loc="lower center",
            ncols=len(entries),
            frameon=False,
        )
