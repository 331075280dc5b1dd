"""The results of a search as one page to explore in a browser, without a network."""

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from experiments.config.objective import Objective
from experiments.search.results.figures import (
    plot_history,
    plot_importance,
    plot_parallel,
)
from experiments.search.results.table import build_table
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


def build_page(trials: Sequence[Trial], *, objective: Objective, title: str) -> str:
    """Returns a self-contained HTML page, about 5 MB of which are plotly's script.

    Args:
        trials: In any order.
        objective: What is compared.
        title: Of the page.
    """
    sections = [
        _show("Objective by trial", plot_history(trials, objective)),
        _show("Parameters", plot_parallel(trials, objective)),
        _show("Importance of the parameters", plot_importance(trials)),
        f"<h2>Trials</h2>\n{_format_table(trials, objective)}",
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n"
        f"{_inline_plotly()}\n</head>\n<body>\n<h1>{escape(title)}</h1>\n"
        + "\n".join(sections)
        + "\n</body>\n</html>\n"
    )


def _inline_plotly() -> str:
    from plotly.offline import get_plotlyjs

    return f'<script type="text/javascript">{get_plotlyjs()}</script>'


def _show(heading: str, figure: "Figure | None") -> str:
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
    return f"<h2>{escape(heading)}</h2>\n{content}"


def _format_table(trials: Sequence[Trial], objective: Objective) -> str:
    head, *rows = build_table(trials, objective)
    lines = [_format_row(head, "th"), *(_format_row(row, "td") for row in rows)]
    table = "\n".join(["<table>", *lines, "</table>"])
    return f'<div class="table">\n{table}\n</div>'


def _format_row(cells: Sequence[str], tag: str) -> str:
    return "<tr>" + "".join(f"<{tag}>{escape(c)}</{tag}>" for c in cells) + "</tr>"
