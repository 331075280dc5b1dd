"""The learning curves of all rows in one figure."""

import math
from collections.abc import Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from experiments.comparison.group import Group

if TYPE_CHECKING:
    from plotly.graph_objects import Figure, Scatter

MOST = 20  # rows whose curves can be told apart
# Two by two: what the validation says stands first.
_PANELS = ("val_accuracy", "val_loss", "accuracy", "loss")
_TITLES = (
    *("validation accuracy", "validation loss"),
    *("training accuracy", "training loss"),
)
# Of Okabe and Ito, for the colour-blind; yellow is hardly seen on white.
_COLOURS = (
    *("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000"),
)
_DASHES = ("solid", "dash", "dot")
_MARKED_EPOCHS = 12  # up to here each epoch is a dot
_LEGEND_LINE = 20  # pixels


def plot_curves(groups: Sequence[Group]) -> "Figure | None":
    """Returns loss and accuracy over the epochs, a colour a row; `None` without any.

    The seeds of a row have one colour. A click at a row of the legend hides it, a
    double click all others.

    Args:
        groups: From the best on; the first 20 with curves are drawn.
    """
    from plotly.subplots import make_subplots

    drawn = [group for group in groups if _has_curves(group)][:MOST]
    if not drawn:
        return None
    figure = make_subplots(
        rows=2,
        cols=2,
        subplot_titles=_TITLES,
        horizontal_spacing=0.07,
        vertical_spacing=0.12,
    )
    for number, group in enumerate(drawn):
        for place, metric in enumerate(_PANELS):
            for line in _draw_row(group, number, metric):
                line.update(showlegend=place == 0 and bool(line.showlegend))
                figure.add_trace(line, row=place // 2 + 1, col=place % 2 + 1)
    figure.update_xaxes(title_text="epoch", row=2)
    last = max(member.epochs or 0 for g in drawn for member in g.members)
    dtick = 1 if last <= _MARKED_EPOCHS else None  # no epoch is half
    figure.update_xaxes(rangemode="tozero", tickformat="d", dtick=dtick)
    figure.update_layout(
        height=620 + _LEGEND_LINE * len(drawn),
        margin={"t": 60, "l": 50, "r": 20},
        legend={"orientation": "h", "y": -0.1, "yanchor": "top", "x": 0},
        hovermode="closest",
    )
    return figure


def count_undrawn(groups: Sequence[Group]) -> tuple[int, int]:
    """Returns how many rows have curves that are not drawn, and how many have none."""
    with_curves = sum(map(_has_curves, groups))
    return max(0, with_curves - MOST), len(groups) - with_curves


def _has_curves(group: Group) -> bool:
    return any(_list_points(member.points, _PANELS) for member in group.members)


def _list_points(points: Any, metrics: Sequence[str]) -> list[tuple[int, float]]:
    return [
        (epoch, at[metric])
        for metric in metrics
        for epoch, at in points.items()
        if metric in at and math.isfinite(at[metric])
    ]


def _draw_row(group: Group, number: int, metric: str) -> Iterator["Scatter"]:
    from plotly.graph_objects import Scatter

    name = escape(_shorten(str(group)))
    several = len(group.members) > 1
    for place, member in enumerate(group.members):
        found = _list_points(member.points, (metric,))
        epochs = [epoch for epoch, _ in found]
        which = f", seed {escape(str(member.seed))}" if group.seeds > 1 else ""
        which += f", fold {member.fold}" if group.has_folds else ""
        yield Scatter(
            x=epochs,
            y=[value for _, value in found],
            name=name,
            legendgroup=group.letter,
            showlegend=place == 0,
            mode="lines+markers" if len(found) <= _MARKED_EPOCHS else "lines",
            line={
                "color": _COLOURS[number % len(_COLOURS)],
                "dash": _DASHES[number // len(_COLOURS) % len(_DASHES)],
                "width": 2,
            },
            marker={"size": 5},
            opacity=0.6 if several else 0.9,
            hovertemplate=f"{name}{which}<br>epoch %{{x}}: %{{y:.4f}}<extra></extra>",
        )


def _shorten(text: str, most: int = 60) -> str:
    return text if len(text) <= most else f"{text[: most - 3]}..."
