"""The course and the result of a search as pictures."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from experiments.search.importance import Column, collect_columns, format_value
from experiments.search.results import Direction, format_number
from experiments.search.trial import Trial, rank_trials

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable
    from matplotlib.figure import Figure

BLUE, SKY, ORANGE, GREY = "#0072b2", "#56b4e9", "#d55e00", "#555555"
ABSENT = -0.14  # height of the trials that lack a parameter, below its axis
_PALEST = 0.9  # of viridis' 0 to 1; its last yellow is hardly seen on white
_STEPS = (1, 2, 2.5, 5, 10)  # between round ticks
_FEW_VALUES = 6  # up to here each value of a number is a tick
_TICK_GAP = 0.0499  # of an axis' height, below which two texts overlap
_LONGEST = 24  # letters of a line beside or above an axis
_LONGEST_NAME = 48  # letters of a name beside a bar
# How a trial ended, its label and its dot.
MARKS: tuple[tuple[str, str, Mapping[str, Any]], ...] = (
    ("complete", "complete", {"c": BLUE}),
    ("paused", "paused (fewer epochs)", {"c": SKY, "marker": "D", "s": 26}),
    ("pruned", "pruned", {"facecolors": "none", "edgecolors": BLUE}),
)


@dataclass(frozen=True)
class Axis:
    """One axis of parallel coordinates, from 0 (bottom) to 1 (top).

    Attributes:
        label: Name of the parameter or objective.
        heights: One a trial; `ABSENT` where the trial lacks the parameter.
        ticks: Height -> text.
    """

    label: str
    heights: Sequence[float]
    ticks: Mapping[float, str]


def draw_history(
    trials: Sequence[Trial], objective: str, direction: Direction
) -> "Figure":
    """Returns a picture of the objective over the number of the trial.

    Args:
        trials: In any order. Failed ones are crosses at the bottom edge, pruned ones
            are hollow, those that run are left out.
        objective: Name of the objective.
        direction: Whether a larger (`max`) or smaller (`min`) objective is better.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4.6), layout="constrained")
    axes = figure.subplots()
    _draw_dots(axes, trials)
    _draw_best_so_far(axes, trials, direction)
    _draw_failures(axes, trials)
    _dress_history(axes, objective)
    if is_logarithmic(trials, direction):
        axes.set_yscale("log")
    axes.set_title(_name_best(trials, objective, direction), parse_math=False)
    if axes.get_legend_handles_labels()[0]:
        figure.legend(loc="outside lower center", ncols=5, frameon=False)
    return figure


def draw_parallel(
    trials: Sequence[Trial], objective: str, direction: Direction
) -> "Figure":
    """Returns parallel coordinates: a line a trial through its parameters.

    Args:
        trials: In any order; those without an objective are left out.
        objective: Name of the objective, the last axis; the darker the better.
        direction: Whether a larger (`max`) or smaller (`min`) objective is better.
    """
    from matplotlib.figure import Figure

    coordinates = build_axes(trials, objective, direction)
    width = max(7.0, 1.75 * len(coordinates) + 1.5)
    figure = Figure(figsize=(width, 5), layout="constrained")
    axes = figure.subplots()
    colours = _map_colours(direction)
    _draw_lines(axes, coordinates, colours)
    for position, axis in enumerate(coordinates):
        _draw_axis(axes, position, axis)
    _dress_parallel(axes, [axis.label for axis in coordinates])
    if coordinates[-1].heights:
        ticks = coordinates[-1].ticks
        bar = figure.colorbar(colours, ax=axes, label=objective, ticks=list(ticks))
        bar.ax.set_yticklabels(list(ticks.values()))
    title = _name_best(trials, objective, direction)
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
    axes.bar_label(bars, [f"{share:.0%}" for _, share in shares], padding=4)
    names = [_shorten(name, _LONGEST_NAME) for name, _ in shares]
    axes.set_yticks(range(len(shares)), names, parse_math=False)
    axes.set_xlim(0, 1.1 * max([share for _, share in shares], default=1.0))
    axes.xaxis.set_major_formatter("{x:.0%}")
    axes.set_xlabel("share of the explained variance of the objective")
    axes.spines[["top", "right"]].set_visible(False)
    if not shares:
        axes.set_title("too few different results to tell")
    return figure


def track_best(
    trials: Sequence[Trial], direction: Direction
) -> list[tuple[int, float]]:
    """Returns number and best objective so far, from the first objective on."""
    choose = max if direction == "max" else min
    best: float | None = None
    steps = []
    for trial in sorted(trials, key=lambda trial: trial.number):
        value = trial.objective
        if value is not None:
            best = value if best is None else choose(best, value)
        if best is not None:
            steps.append((trial.number, best))
    return steps


def is_logarithmic(trials: Sequence[Trial], direction: Direction) -> bool:
    """Tells whether the objective is a loss that spans more than two decades."""
    return direction == "min" and _gather_objective(trials, "").is_wide


def build_axes(
    trials: Sequence[Trial], objective: str, direction: Direction
) -> list[Axis]:
    """Returns an axis a parameter and the objective, the trials from worst to best."""
    ranked = rank_trials(trials, direction)[::-1]
    columns = collect_columns(sorted(ranked, key=lambda trial: trial.number))
    ordered = {column.name: column for column in collect_columns(ranked)}
    parameters = [ordered[column.name] for column in columns]
    last = _gather_objective(ranked, objective)
    return [
        *(_build_axis(column, logarithmic=column.is_wide) for column in parameters),
        _build_axis(last, logarithmic=is_logarithmic(ranked, direction)),
    ]


def _gather_objective(trials: Sequence[Trial], name: str) -> Column:
    return Column(name, [t.objective for t in trials if t.objective is not None])


def _build_axis(column: Column, *, logarithmic: bool) -> Axis:
    if column.is_number:
        heights, ticks = _place_numbers(column, logarithmic=logarithmic)
    else:
        heights, ticks = _place_categories(column)
    ticks = _thin(ticks)
    if None in column.values:
        ticks[ABSENT] = "absent"
    return Axis(column.name, heights, ticks)


def _place_numbers(
    column: Column, *, logarithmic: bool
) -> tuple[list[float], dict[float, str]]:
    numbers = column.numbers(logarithmic=logarithmic)
    known = [number for number in numbers if number is not None]
    low, high = min(known, default=0.0), max(known, default=0.0)

    def place(number: float) -> float:
        return (number - low) / (high - low) if high > low else 0.5

    whole = all(isinstance(value, int) for value in column.present)
    ticks = _choose_ticks(known, logarithmic=logarithmic, whole=whole)
    heights = [ABSENT if number is None else place(number) for number in numbers]
    return heights, {place(number): text for number, text in ticks.items()}


def _place_categories(column: Column) -> tuple[list[float], dict[float, str]]:
    """Spreads the different texts evenly over the axis."""
    names = column.categories
    last = len(names) - 1
    places = {name: n / last if last else 0.5 for n, name in enumerate(names)}
    heights = [
        ABSENT if value is None else places[format_value(value)]
        for value in column.values
    ]
    return heights, {place: _shorten(name) for name, place in places.items()}


def _choose_ticks(
    numbers: Sequence[float], *, logarithmic: bool, whole: bool
) -> dict[float, str]:
    """Returns number -> text: few values themselves, else round ones between them."""
    from matplotlib.ticker import MaxNLocator

    chosen = sorted(set(numbers))
    if len(chosen) > _FEW_VALUES:
        low, high = chosen[0], chosen[-1]
        locator = MaxNLocator(6, integer=whole or logarithmic, steps=_STEPS)
        chosen = [float(t) for t in locator.tick_values(low, high) if low <= t <= high]
    if logarithmic:
        return {number: _format_tick(10**number) for number in chosen}
    return {number: _format_tick(number) for number in chosen}


def _format_tick(number: float) -> str:
    whole = number.is_integer() and abs(number) < 1e7
    return str(int(number)) if whole else f"{number:.4g}"


def _thin(ticks: Mapping[float, str]) -> dict[float, str]:
    """Leaves out the ticks whose texts would lie over the one below."""
    kept: dict[float, str] = {}
    last = -math.inf
    for height, text in sorted(ticks.items()):
        if height - last >= _TICK_GAP:
            kept[height] = text
            last = height
    return kept


def _shorten(text: str, longest: int = _LONGEST) -> str:
    line = " ".join(text.split())
    return line if len(line) <= longest else line[: longest - 1] + "…"


def _name_best(trials: Sequence[Trial], objective: str, direction: Direction) -> str:
    ranked = rank_trials(trials, direction)
    if not ranked:
        return "no trial has a result"
    value = format_number(ranked[0].objective or 0.0)
    return f"best {objective}: {value} (trial {ranked[0].number})"


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
    axes: "Axes", trials: Sequence[Trial], direction: Direction
) -> None:
    steps = track_best(trials, direction)
    if steps:
        numbers, values = zip(*steps, strict=True)
        axes.step(
            numbers, values, where="post", color=GREY, lw=1.5, label="best so far"
        )


def _dress_history(axes: "Axes", objective: str) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.set_xlabel("trial")
    axes.set_ylabel(objective, parse_math=False)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)


def _map_colours(direction: Direction) -> "ScalarMappable":
    """Returns the colours of the objective's heights, dark for good ones."""
    from matplotlib import colormaps
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import ListedColormap, Normalize

    steps = [_PALEST * step / 255 for step in range(256)]
    palette = ListedColormap(colormaps["viridis"](steps))
    chosen = palette.reversed() if direction == "max" else palette
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


def _draw_axis(axes: "Axes", position: int, axis: Axis) -> None:
    from matplotlib.patheffects import withStroke

    axes.plot([position, position], [0, 1], color=GREY, lw=1.2, zorder=4)
    for height, text in axis.ticks.items():
        axes.annotate(
            text,
            (position, height),
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
    parts = [name.replace(".", ".\n").split("\n") for name in names]
    labels = ["\n".join(_shorten(part) for part in lines) for lines in parts]
    axes.set_xticks(range(len(names)), labels, parse_math=False)
    axes.tick_params(length=0)
    axes.set_yticks([])
    axes.set_xlim(-0.6, len(names) - 0.85)
    axes.set_ylim(ABSENT - 0.06, 1.04)
    axes.spines[:].set_visible(False)
