"""The results of a search as one page to explore in a browser, without a network."""

from base64 import b64encode
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from experiments.config.objective import Objective
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

_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; color: #222; margin: 2rem auto;
       max-width: 1200px; padding: 0 1rem; }
h2 { margin-top: 2rem; }
.table { overflow-x: auto; }
table { border-collapse: collapse; font-size: 14px; }
th, td { padding: .3rem .7rem; text-align: right; border-bottom: 1px solid #ddd;
         white-space: nowrap; }
th { border-bottom: 2px solid #555; }
th:last-child, td:last-child { text-align: left; white-space: normal; }
"""


def build_page(
    trials: Sequence[Trial], *, objective: Objective, oracle: str, folder: str
) -> str:
    """Returns a self-contained HTML page, about 6 MB of which are plotly's script.

    Args:
        trials: In any order.
        objective: What is compared.
        oracle: What proposed them.
        folder: Name of the search's folder.
    """
    title = _describe_search(trials, objective)
    lines = "Each line is a trial, the thick one the best; the darker, the better."
    sections = [
        f"<p>{escape(_describe_course(trials, objective, oracle, folder))}</p>",
        _show("Objective by trial", plot_history(trials, objective)),
        _show("Parameters", plot_parallel(trials, objective), caption=lines),
        _show_importance(trials),
        f"<h2>Trials</h2>\n{_format_table(trials, objective)}",
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<link rel="icon" href="data:,">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n"
        f"{_inline_plotly()}\n</head>\n<body>\n<h1>{escape(title)}</h1>\n"
        + "\n".join(sections)
        + "\n</body>\n</html>\n"
    )


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
    return f"<h2>{heading}</h2>\n<p>{escape(text)}</p>"


def _inline_plotly() -> str:
    """Returns plotly's script, in letters that nobody takes for a secret.

    Whatever is recorded has its secrets hidden, by their shape: in the script itself
    `accessToken=...` would be cut out, and no figure drawn.
    """
    from plotly.offline import get_plotlyjs

    script = b64encode(get_plotlyjs().encode()).decode()
    return (
        f'<script type="text/plain" id="plotly">{script}</script>\n<script>\n'
        'const packed = atob(document.getElementById("plotly").textContent);\n'
        "const bytes = Uint8Array.from(packed, (sign) => sign.charCodeAt(0));\n"
        'const library = document.createElement("script");\n'
        "library.textContent = new TextDecoder().decode(bytes);\n"
        "document.head.append(library);\n</script>"
    )


def _show(heading: str, figure: "Figure | None", *, caption: str = "") -> str:
    """Returns a heading and a figure, or why there is none."""
    if figure is None:
        content = "<p>Too few results to draw.</p>"
    else:
        figure.update_layout(template="plotly_white", font={"size": 13})
        content = figure.to_html(
            full_html=False,
            include_plotlyjs=False,
            include_mathjax=False,
            div_id=heading.lower().replace(" ", "-"),
            config={"displaylogo": False, "responsive": True},
        )
        content = f"<p>{escape(caption)}</p>\n{content}" if caption else content
    return f"<h2>{escape(heading)}</h2>\n{content}"


def _format_table(trials: Sequence[Trial], objective: Objective) -> str:
    head, *rows = build_table(trials, objective)
    lines = [_format_row(head, "th"), *(_format_row(row, "td") for row in rows)]
    table = "\n".join(["<table>", *lines, "</table>"])
    return f'<div class="table">\n{table}\n</div>'


def _format_row(cells: Sequence[str], tag: str) -> str:
    return "<tr>" + "".join(f"<{tag}>{escape(c)}</{tag}>" for c in cells) + "</tr>"
