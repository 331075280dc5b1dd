"""The course and the result of a search as pictures."""

import statistics
from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from experiments.config.kinds.objective import Objective
from experiments.counts import format_share
from experiments.pictures.lettering import Lettering, choose_lettering
from experiments.search.results.axes import (
    ABSENT,
    Axis,
    build_axes,
    is_logarithmic,
    shorten,
)
from experiments.search.results.table import format_number
from experiments.search.trials.trial import (
    Trial,
    best_trial,
    name_proposal,
    score_proposals,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable
    from matplotlib.figure import Figure

BLUE, SKY, ORANGE, GREY = "#0072b2", "#56b4e9", "#d55e00", "#555555"
PALEST = 0.9  # of viridis' 0 to 1; its last yellow is hardly seen on white
_LONGEST_NAME = 48  # letters of a name beside a bar or above an axis
_BESIDE = 20  # letters of names that fit beside each other
# How a trial ended, its label and its dot.
MARKS: tuple[tuple[str, str, Mapping[str, Any]], ...] = (
    ("complete", "complete", {"c": BLUE}),
    ("paused", "paused (fewer epochs)", {"c": SKY, "marker": "D", "s": 26}),
    ("pruned", "pruned", {"facecolors": "none", "edgecolors": BLUE}),
)


def draw_history(trials: Sequence[Trial], objective: Objective) -> "Figure":
    """Returns a picture of the objective over the number of the trial.

    Args:
        trials: In any order. Failed ones are crosses at the bottom edge, pruned ones
            are hollow, those that run are left out.
        objective: What is compared.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4.6), layout="constrained")
    axes = figure.subplots()
    _draw_dots(axes, trials)
    _draw_best_so_far(axes, trials, objective)
    _draw_failures(axes, trials)
    _dress_history(axes, objective.name)
    if is_logarithmic(trials, objective):
        axes.set_yscale("log")
    axes.set_title(_name_best(trials, objective), parse_math=False)
    if axes.get_legend_handles_labels()[0]:
        figure.legend(loc="outside lower center", ncols=5, frameon=False)
    return figure


def draw_parallel(trials: Sequence[Trial], objective: Objective) -> "Figure":
    """Returns parallel coordinates: a line a trial through its parameters.

    Args:
        trials: In any order; those without an objective are left out.
        objective: What is compared, the last axis; the darker the better.
    """
    from matplotlib.figure import Figure

    coordinates = build_axes(trials, objective)
    width = max(7.0, 1.75 * len(coordinates) + 1.5)
    figure = Figure(figsize=(width, 5), layout="constrained")
    axes = figure.subplots()
    colours = _map_colours(objective)
    _draw_lines(axes, coordinates, colours)
    lettering = choose_lettering(t for axis in coordinates for t in axis.ticks.values())
    for position, axis in enumerate(coordinates):
        _draw_axis(axes, position, axis, lettering)
    _dress_parallel(axes, [axis.label for axis in coordinates])
    if coordinates[-1].heights:
        ticks = coordinates[-1].ticks
        bar = figure.colorbar(colours, ax=axes, ticks=list(ticks))
        bar.set_label(objective.name, parse_math=False)
        bar.ax.set_yticklabels(list(ticks.values()), parse_math=False)
    title = _name_best(trials, objective)
    figure.suptitle(title, fontsize="large", parse_math=False)
    return figure


def draw_importance(importances: Mapping[str, float]) -> "Figure":
    """Returns a picture of bars, the largest at the top.

    Args:
        importances: Parameter -> share from 0 to 1.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 1.5 + 0.4 * len(importances)), layout="constrained")
    axes = figure.subplots()
    shares = sorted(importances.items(), key=lambda share: share[1])
    bars = axes.barh(range(len(shares)), [share for _, share in shares], color=BLUE)
    axes.bar_label(bars, [format_share(share) for _, share in shares], padding=4)
    names = [shorten(name, _LONGEST_NAME) for name, _ in shares]
    axes.set_yticks(range(len(shares)), names, parse_math=False)
    axes.set_xlim(0, 1.1 * max([share for _, share in shares], default=1.0))
    axes.xaxis.set_major_formatter(lambda share, _: format_share(share))
    axes.set_xlabel("share of the explained variance of the objective")
    axes.spines[["top", "right"]].set_visible(False)
    if not shares:
        axes.set_title("too few different results to tell")
    return figure


def track_best(
    trials: Sequence[Trial], objective: Objective
) -> list[tuple[int, float]]:
    """Returns number and best objective so far, from the first objective on.

    Of trials that differ in their seed alone the mean counts: it may fall again when
    another seed was less lucky.
    """
    best: float | None = None
    steps: list[tuple[int, float]] = []
    values: dict[Hashable, list[float]] = {}
    for trial in sorted(trials, key=lambda trial: trial.number):
        if trial.objective is not None:
            known = values.setdefault(name_proposal(trial), [])
            known.append(trial.objective)
            if len(known) > 1:  # perhaps it was the best one, and is no more
                means = [statistics.fmean(found) for found in values.values()]
                best = means[objective.best(means) or 0]
            elif objective.is_better(trial.objective, best):
                best = trial.objective
        if best is not None:
            steps.append((trial.number, best))
    return steps


def find_best(
    trials: Sequence[Trial], objective: Objective
) -> tuple[Trial, float] | None:
    """Returns the best trial and the value of its proposal; `None` without any."""
    best = best_trial(trials, objective)
    return None if best is None else (best, score_proposals(trials)[best.number])


def _name_best(trials: Sequence[Trial], objective: Objective) -> str:
    best = find_best(trials, objective)
    if best is None:
        return "no trial has a result"
    trial, value = best
    return f"best {objective.name}: {format_number(value)} (trial {trial.number})"


def _draw_dots(axes: "Axes", trials: Sequence[Trial]) -> None:
    for end, label, look in MARKS:
        shown = [t for t in trials if t.outcome is not None and t.outcome.end == end]
        points = [(t.number, t.objective) for t in shown if t.objective is not None]
        if points:
            numbers, values = zip(*points, strict=True)
            axes.scatter(numbers, values, **{"s": 34, **look}, label=label, zorder=3)


def _draw_failures(axes: "Axes", trials: Sequence[Trial]) -> None:
    failed = [t.number for t in trials if t.outcome and t.outcome.end == "failed"]
    if failed:
        axes.plot(
            failed,
            [0.0] * len(failed),
            "x",
            color=ORANGE,
            label="failed",
            transform=axes.get_xaxis_transform(),
            clip_on=False,
            zorder=4,
        )


def _draw_best_so_far(
    axes: "Axes", trials: Sequence[Trial], objective: Objective
) -> None:
    steps = track_best(trials, objective)
    if steps:
        numbers, values = zip(*steps, strict=True)
        axes.step(
            numbers, values, where="post", color=GREY, lw=1.5, label="best so far"
        )


def _dress_history(axes: "Axes", name: str) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.set_xlabel("trial")
    axes.set_ylabel(name, parse_math=False)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)


def _map_colours(objective: Objective) -> "ScalarMappable":
    """Returns the colours of the objective's heights, dark for good ones."""
    from matplotlib import colormaps
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import ListedColormap, Normalize

    steps = [PALEST * step / 255 for step in range(256)]
    palette = ListedColormap(colormaps["viridis"](steps))
    chosen = palette.reversed() if objective.direction == "max" else palette
    return ScalarMappable(Normalize(0, 1), chosen)


def _draw_lines(
    axes: "Axes", coordinates: Sequence[Axis], colours: "ScalarMappable"
) -> None:
    """Draws the trials, the last of which is the best."""
    heights = [axis.heights for axis in coordinates]
    lines = list(zip(*heights, strict=True))
    for number, line in enumerate(lines, start=1):
        best = number == len(lines)
        axes.plot(
            range(len(line)),
            line,
            color=colours.to_rgba(line[-1]),
            lw=4 if best else 1.3,
            alpha=1.0 if best else 0.8,
            zorder=3 if best else 2,
            marker="o",
            ms=6 if best else 3,
        )


def _draw_axis(axes: "Axes", position: int, axis: Axis, lettering: Lettering) -> None:
    from matplotlib.patheffects import withStroke

    axes.plot([position, position], [0, 1], color=GREY, lw=1.2, zorder=4)
    for height, text in axis.ticks.items():
        axes.annotate(
            lettering.replace(text),
            (position, height),
            fontfamily=list(lettering.families),
            xytext=(-6, 0),
            textcoords="offset points",
            ha="right",
            va="center",
            fontsize=9,
            zorder=5,
            parse_math=False,
            path_effects=[withStroke(linewidth=3, foreground="white")],
        )


def _dress_parallel(axes: "Axes", names: Sequence[str]) -> None:
    axes.xaxis.tick_top()
    labels = [shorten(name, _LONGEST_NAME) for name in names]  # unbroken
    is_long = max(map(len, labels)) > _BESIDE
    turned: dict[str, Any] = {"rotation": 20, "ha": "left", "rotation_mode": "anchor"}
    look = turned if is_long else {}
    axes.set_xticks(range(len(names)), labels, parse_math=False, **look)
    axes.tick_params(length=0)
    axes.set_yticks([])
    axes.set_xlim(-0.6, len(names) - 0.85)
    axes.set_ylim(ABSENT - 0.06, 1.04)
    axes.spines[:].set_visible(False)
