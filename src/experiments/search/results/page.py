"""The results of a search as one page to explore in a browser, without a network."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from experiments import pages
from experiments.config.kinds.objective import Objective
from experiments.counts import count_of, join_words
from experiments.search.results.columns import collect_columns
from experiments.search.results.figures import (
    plot_history,
    plot_importance,
    plot_parallel,
)
from experiments.search.results.importance import FEWEST_A_PARAMETER, count_needed
from experiments.search.results.pictures import find_best
from experiments.search.results.table import build_table, format_number
from experiments.search.trials.trial import Trial

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

# The first column is a rank, the last one tells how a trial ended.
_STYLE = """
th:first-child, td:first-child { text-align: right; }
th:last-child, td:last-child { text-align: left; white-space: normal; }
"""


def build_page(
    trials: Sequence[Trial], *, objective: Objective, oracle: str, folder: str
) -> str:
    """Returns a self-contained HTML page, about 2 MB of which are plotly's script.

    Args:
        trials: In any order.
        objective: What is compared.
        oracle: What proposed them.
        folder: Name of the search's folder.
    """
    title = _describe_search(trials, objective)
    columns, *rows = build_table(trials, objective)
    lines = "Each line is a trial, the thick one the best; the darker, the better."
    sections = [
        pages.paragraph(_describe_course(trials, objective, oracle, folder)),
        _show("Objective by trial", plot_history(trials, objective)),
        _show("Parameters", plot_parallel(trials, objective), caption=lines),
        _show_importance(trials),
        pages.section("Trials", pages.table(columns, rows)),
    ]
    return pages.build_page(title, sections, style=_STYLE, head=pages.figure_library())


def _describe_search(trials: Sequence[Trial], objective: Objective) -> str:
    """Returns what was searched, in words."""
    names = [column.name for column in collect_columns(trials)]
    side = "largest" if objective.direction == "max" else "smallest"
    over = f" over {join_words(names)}" if names else ""
    return f"Search for the {side} {objective.name}{over}"


def _describe_course(
    trials: Sequence[Trial], objective: Objective, oracle: str, folder: str
) -> str:
    """Returns how it was searched and what was best, a few sentences."""
    scored = sum(trial.objective is not None for trial in trials)
    which = "all" if scored == len(trials) else f"{scored:,}"
    text = f"{count_of(len(trials), 'trial')} by the {oracle} oracle, {which} of them "
    text += "with a result."
    if (best := find_best(trials, objective)) is not None:
        trial, value = best
        words = " ".join(trial.overrides) or "the config as it is"
        number = f"trial {trial.number}"
        text += (
            f" The best: {objective.name} {format_number(value)}, {number}: {words}."
        )
    return f"{text} Folder: {folder}."


def _show_importance(trials: Sequence[Trial]) -> str:
    scored, parameters, needed = count_needed(trials)
    heading = "Importance of the parameters"
    if not parameters or scored >= needed:
        return _show(heading, plot_importance(trials))
    which = "how much the parameter matters"
    if parameters > 1:
        which = f"which of the {parameters} parameters matters"
    verb = "is" if scored == 1 else "are"
    text = (
        f"{count_of(scored, 'trial')} with a result {verb} too few to tell {which}: "
        f"it takes about {needed}, {FEWEST_A_PARAMETER} for each. What the lines above "
        "suggest may be chance."
    )
    return pages.section(heading, pages.paragraph(text))


def _show(heading: str, figure: "Figure | None", *, caption: str = "") -> str:
    """Returns a heading and a figure, or why there is none."""
    if figure is None:
        content = "<p>Too few results to draw.</p>"
    else:
        content = pages.figure(figure, heading.lower().replace(" ", "-"))
        content = f"{pages.paragraph(caption)}\n{content}" if caption else content
    return pages.section(heading, content)
