"""The course and the result of a search as figures to explore in a browser."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from experiments.config.objective import Objective
from experiments.search.results.axes import Axis, build_axes, is_logarithmic
from experiments.search.results.columns import format_value
from experiments.search.results.importance import measure_importance
from experiments.search.results.pictures import (
    BLUE,
    GREY,
    MARKS,
    ORANGE,
    SKY,
    track_best,
)
from experiments.search.results.table import format_objective
from experiments.search.trials.trial import Trial

if TYPE_CHECKING:
    from plotly.graph_objects import Figure, Scatter

_MARKERS: Mapping[str, Mapping[str, Any]] = {
    "complete": {"color": BLUE, "size": 9},
    "paused": {"color": SKY, "size": 8, "symbol": "diamond"},
    "pruned": {"color": BLUE, "size": 9, "symbol": "circle-open"},
}
_CROSS_LINE = {"color": ORANGE, "width": 2}  # a thin symbol has only its line
_EDGE = 0.025  # of the height, which keeps the crosses off the numbers below


def plot_history(trials: Sequence[Trial], objective: Objective) -> "Figure | None":
    """Returns the objective over the number of the trial; `None` without any.

    Args:
        trials: In any order.
        objective: What is compared.
    """
    from plotly.graph_objects import Figure, Scatter

    steps = track_best(trials, objective)
    if not steps:
        return None
    numbers, values = zip(*steps, strict=True)
    line = {"shape": "hv", "color": GREY}
    best = Scatter(x=numbers, y=values, mode="lines", line=line, name="best so far")
    figure = Figure([best, *_scatter_trials(trials)])
    figure.update_xaxes(title_text="trial", dtick=1 if len(trials) <= 20 else None)
    scale = "log" if is_logarithmic(trials, objective) else "linear"
    edge = {"overlaying": "y", "range": [0, 1], "visible": False, "fixedrange": True}
    figure.update_layout(
        margin={"t": 30},
        yaxis={"title": {"text": escape(objective.name)}, "type": scale},
        yaxis2=edge,
    )
    return figure


def plot_parallel(trials: Sequence[Trial], objective: Objective) -> "Figure | None":
    """Returns parallel coordinates, a line a trial; `None` without an objective.

    Args:
        trials: In any order.
        objective: What is compared.
    """
    from plotly.graph_objects import Figure, Parcoords

    axes = build_axes(trials, objective)
    result = axes[-1]
    if not result.heights:
        return None
    line = {
        "color": result.heights,
        "colorscale": "Viridis",
        "reversescale": objective.direction == "max",  # dark is good
        "cmin": 0,
        "cmax": 1,
        "showscale": True,
        "colorbar": {**_list_ticks(result), "title": {"text": escape(objective.name)}},
    }
    lines = Parcoords(line=line, dimensions=[_build_dimension(axis) for axis in axes])
    return Figure(lines, {"margin": {"l": 110, "r": 60, "t": 100, "b": 40}})


def plot_importance(trials: Sequence[Trial]) -> "Figure | None":
    """Returns bars, the largest at the top; `None` where nothing can be told."""
    from plotly.graph_objects import Bar, Figure

    shares = measure_importance(trials)
    if not shares:
        return None
    names = [escape(name) for name in shares]
    values = list(shares.values())
    texts = [f"{value:.0%}" for value in values]
    bars = Bar(x=values, y=names, orientation="h", text=texts, marker_color=BLUE)
    layout = {"height": 110 + 36 * len(shares), "margin": {"t": 30}}
    figure = Figure(bars, layout)
    figure.update_yaxes(autorange="reversed", automargin=True)
    figure.update_xaxes(
        title_text="share of the explained variance of the objective", tickformat=".0%"
    )
    return figure


def _scatter_trials(trials: Sequence[Trial]) -> "list[Scatter]":
    """Returns the dots of each kind of end, and the failures at the bottom edge."""
    traces = []
    for end, label, _ in MARKS:
        shown = [t for t in trials if t.outcome is not None and t.outcome.end == end]
        heights = [trial.objective for trial in shown]
        traces.append(_scatter(shown, heights, name=label, marker=_MARKERS[end]))
    failed = [t for t in trials if t.outcome and t.outcome.end == "failed"]
    cross = {"color": ORANGE, "size": 9, "symbol": "x-thin", "line": _CROSS_LINE}
    bottom = _scatter(failed, [_EDGE] * len(failed), name="failed", marker=cross)
    bottom.update(yaxis="y2", cliponaxis=False)
    return [trace for trace in [*traces, bottom] if trace.x]


def _scatter(
    trials: Sequence[Trial],
    heights: Sequence[float | None],
    *,
    name: str,
    marker: Mapping[str, Any],
) -> "Scatter":
    from plotly.graph_objects import Scatter

    return Scatter(
        x=[trial.number for trial in trials],
        y=heights,
        mode="markers",
        name=name,
        marker=marker,
        hovertext=[_describe(trial) for trial in trials],
        hoverinfo="text",
    )


def _describe(trial: Trial) -> str:
    """Returns the text beside the pointer, in plotly's subset of HTML."""
    lines = [f"trial {trial.number}: {format_objective(trial)}", trial.state]
    lines += [f"{k}: {format_value(v)}" for k, v in trial.proposal.values.items()]
    if trial.outcome is not None and trial.outcome.reason:
        lines.append(trial.outcome.reason)
    return "<br>".join(escape(line) for line in lines)


def _build_dimension(axis: Axis) -> dict[str, Any]:
    lowest = min(0.0, *axis.heights)
    return {
        "label": ".<br>".join(escape(axis.label).rsplit(".", 1)),
        "values": axis.heights,
        "range": [lowest, 1.0],
        **_list_ticks(axis),
    }


def _list_ticks(axis: Axis) -> dict[str, Any]:
    """Returns the ticks, whose texts plotly shows here as they are, not as HTML."""
    return {"tickvals": list(axis.ticks), "ticktext": list(axis.ticks.values())}
