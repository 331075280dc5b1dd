"""The course and the result of a search as figures to explore in a browser."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from experiments.config.kinds.objective import Objective
from experiments.counts import format_share
from experiments.search.results.axes import Axis, build_axes, is_logarithmic
from experiments.search.results.columns import format_value
from experiments.search.results.importance import tell_importance
from experiments.search.results.pictures import (
    BLUE,
    GREY,
    MARKS,
    ORANGE,
    PALEST,
    SKY,
    track_best,
)
from experiments.search.results.table import format_objective
from experiments.search.trials.trial import Trial, rank_trials

if TYPE_CHECKING:
    from plotly.graph_objects import Figure, Scatter

_MARKERS: Mapping[str, Mapping[str, Any]] = {
    "complete": {"color": BLUE, "size": 9},
    "paused": {"color": SKY, "size": 8, "symbol": "diamond"},
    "pruned": {"color": BLUE, "size": 9, "symbol": "circle-open"},
}
_CROSS_LINE = {"color": ORANGE, "width": 2}  # a thin symbol has only its line
_SHADES = 24  # colours of lines
_LETTERS = 110  # beside each other at the top of a page
_HOVER: Mapping[str, Any] = {"mode": "lines+markers", "hoverinfo": "text"}
_BARE: Mapping[str, Any] = {"showgrid": False, "zeroline": False, "ticks": ""}
_TICK: Mapping[str, Any] = {
    "showarrow": False,
    "xanchor": "right",
    "xshift": -7,
    "font": {"size": 11},
    "bgcolor": "rgba(255, 255, 255, 0.7)",
}
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
        trials: In any order. The best one is a thick line on top of the others.
        objective: What is compared, the last axis; the darker the better.
    """
    from plotly.graph_objects import Figure

    axes = build_axes(trials, objective)
    if not axes[-1].heights:
        return None
    scale = _choose_scale(objective)
    figure = Figure(_trace_lines(trials, objective, axes, scale))
    figure.add_trace(_trace_colours(axes[-1], objective, scale))
    for place, axis in enumerate(axes):
        line = {"color": GREY, "width": 1.5}
        figure.add_shape(type="line", x0=place, x1=place, y0=0, y1=1, line=line)
        for height, text in axis.ticks.items():
            figure.add_annotation(x=place, y=height, text=escape(text), **_TICK)
    lowest = min(0.0, *(height for axis in axes for height in axis.heights))
    figure.update_xaxes(
        tickvals=list(range(len(axes))),
        ticktext=[escape(axis.label) for axis in axes],  # whole, however long
        tickangle=_turn([axis.label for axis in axes]),
        side="top",
        range=[-0.55, len(axes) - 0.8],
        automargin=True,
        **_BARE,
    )
    figure.update_yaxes(range=[lowest - 0.06, 1.04], visible=False, fixedrange=True)
    legend = {"orientation": "h", "x": 0, "y": -0.02, "yanchor": "top"}
    height = 440 + 2 * max(len(axis.label) for axis in axes)
    figure.update_layout(legend=legend, height=height, margin={"t": 40, "b": 50})
    return figure


def plot_importance(trials: Sequence[Trial]) -> "Figure | None":
    """Returns bars, the largest at the top; `None` where nothing can be told."""
    from plotly.graph_objects import Bar, Figure

    shares = tell_importance(trials)
    if not shares:
        return None
    names = [escape(name) for name in shares]
    values = list(shares.values())
    texts = [format_share(value) for value in values]
    bars = Bar(
        x=[100 * value for value in values],
        y=names,
        orientation="h",
        text=texts,
        marker_color=BLUE,
    )
    bars.update(textposition="outside", cliponaxis=False)  # inside it would be turned
    layout = {"height": 110 + 36 * len(shares), "margin": {"t": 30}}
    figure = Figure(bars, layout)
    figure.update_yaxes(autorange="reversed", automargin=True)
    figure.update_xaxes(
        title_text="share of the explained variance of the objective", ticksuffix=" %"
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


def _trace_lines(
    trials: Sequence[Trial],
    objective: Objective,
    axes: Sequence[Axis],
    scale: Sequence[str],
) -> "list[Scatter]":
    """Returns the trials' lines by colour, and the best one on top of them."""
    from plotly.graph_objects import Scatter

    ranked = rank_trials(trials, objective)[::-1]
    lines = list(zip(*(axis.heights for axis in axes), strict=True))
    places = list(range(len(axes)))
    traces = []
    for shade, colour in enumerate(scale):
        chosen = [i for i, line in enumerate(lines[:-1]) if _shade(line) == shade]
        if chosen:
            trace = Scatter(
                # A gap after each line, so that one trace holds many.
                x=[place for _ in chosen for place in (*places, None)],
                y=[height for i in chosen for height in (*lines[i], None)],
                hovertext=[_describe(ranked[i]) for i in chosen for _ in (*places, 0)],
                line={"color": colour, "width": 1.5},
                marker={"size": 4},
                opacity=0.75,
                showlegend=False,
                **_HOVER,
            )
            traces.append(trace)
    best = Scatter(
        x=places,
        y=lines[-1],
        hovertext=[_describe(ranked[-1])] * len(places),
        line={"color": scale[_shade(lines[-1])], "width": 6},
        marker={"size": 11},
        name=f"the best trial, {ranked[-1].number}",
        showlegend=True,
        **_HOVER,
    )
    return [*traces, best]


def _trace_colours(
    result: Axis, objective: Objective, scale: Sequence[str]
) -> "Scatter":
    """Returns nothing but the bar that says what the colours mean."""
    from plotly.graph_objects import Scatter

    ticks = [escape(text) for text in result.ticks.values()]
    bar = {"tickvals": list(result.ticks), "ticktext": ticks}
    marker = {
        "color": [0],
        "cmin": 0,
        "cmax": 1,
        "colorscale": list(scale),
        "showscale": True,
        "colorbar": {**bar, "title": {"text": escape(objective.name)}},
    }
    nowhere = {"x": [None], "y": [None]}
    return Scatter(**nowhere, mode="markers", marker=marker, showlegend=False)


def _choose_scale(objective: Objective) -> list[str]:
    """Returns the colours of the objective's heights, dark for good ones."""
    from plotly.colors import sample_colorscale

    # The last yellow is hardly seen on white.
    steps = [PALEST * step / (_SHADES - 1) for step in range(_SHADES)]
    scale = sample_colorscale("Viridis", steps)
    return scale[::-1] if objective.direction == "max" else scale


def _shade(line: Sequence[float]) -> int:
    return round(line[-1] * (_SHADES - 1))


def _turn(labels: Sequence[str]) -> int:
    """Returns the angle at which labels lie beside each other."""
    return -25 if max(map(len, labels)) * len(labels) > _LETTERS else 0
