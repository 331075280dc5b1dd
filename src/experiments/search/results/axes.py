"""The trials of a search as heights on axes, one axis a parameter."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from experiments.config.kinds.objective import Objective
from experiments.search.results.columns import Column, collect_columns, format_value
from experiments.search.trials.trial import Trial, rank_trials

ABSENT = -0.14  # height of the trials that lack a parameter, below its axis
_STEPS = (1, 2, 2.5, 5, 10)  # between round ticks
_FEW_VALUES = 6  # up to here each value of a number is a tick
_TICK_GAP = 0.0499  # of an axis' height, below which two texts overlap
_LONGEST = 24  # letters of a line beside or above an axis


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


def build_axes(trials: Sequence[Trial], objective: Objective) -> list[Axis]:
    """Returns an axis a parameter and the objective, the trials from worst to best."""
    ranked = rank_trials(trials, objective)[::-1]
    columns = collect_columns(sorted(ranked, key=lambda trial: trial.number))
    ordered = {column.name: column for column in collect_columns(ranked)}
    parameters = [ordered[column.name] for column in columns]
    last = _gather_objective(ranked, objective.name)
    return [
        *(_build_axis(column, logarithmic=column.is_wide) for column in parameters),
        _build_axis(last, logarithmic=is_logarithmic(ranked, objective)),
    ]


def is_logarithmic(trials: Sequence[Trial], objective: Objective) -> bool:
    """Tells whether the objective is a loss that spans more than 1.5 decades."""
    is_wide = _gather_objective(trials, objective.name).is_wide
    return objective.direction == "min" and is_wide


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
    return heights, {place: shorten(name) for name, place in places.items()}


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


def shorten(text: str, longest: int = _LONGEST) -> str:
    """Returns a text as one line, cut where it is longer than `longest` letters."""
    line = " ".join(text.split())
    return line if len(line) <= longest else line[: longest - 1] + "…"
