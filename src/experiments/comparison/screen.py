"""A comparison on the screen."""

from collections.abc import Sequence
from pathlib import Path

from rich.table import Table
from rich.text import Text

from experiments.comparison.cells import (
    list_brief_results,
    list_settings,
    tell_states,
)
from experiments.comparison.compared import Compared
from experiments.comparison.words import (
    describe_rest,
    summarise_verdicts,
    tell_best,
    tell_verdicts,
)
from experiments.errors import make_printable
from experiments.jobs.showing.display import short_path
from experiments.screen import open_console

_ROWS = 20  # of a table
_SENTENCES = 5
_KEYS = 12  # settings that fit on a screen


def show_comparison(compared: Compared, page: Path) -> None:
    """Prints what there is to say, and where the page lies.

    Args:
        compared: The comparison.
        page: Its page.
    """
    _say(tell_best(compared))
    for caution in compared.cautions:
        _say(caution)
    head, *rows = list_brief_results(compared, open_console(whole=True).width)
    _show_table(head, rows[:_ROWS], whole=True)
    for line in describe_rest(len(rows) - _ROWS, "row"):
        _say(line)
    states = tell_states(compared.groups)
    for line in [*states[:_SENTENCES], *describe_rest(len(states) - _SENTENCES, "run")]:
        _say(line)
    _show_settings(compared)
    print()
    for line in [*summarise_verdicts(compared), *tell_verdicts(compared)[1]]:
        _say(line)
    told = "".join(compared.verdicts.problems)
    if compared.refusal and compared.refusal not in told:
        _say(compared.refusal)
    for why, command in compared.commands:
        _say(f"{why}\n  {command}")
    print(f"\npage  {make_printable(short_path(page))}")


def _show_settings(compared: Compared) -> None:
    """Prints what differs, unless the labels of the rows say all of it."""
    if not compared.keys or compared.says_all or len(compared.groups) > _ROWS:
        return
    if len(compared.keys) > _KEYS:
        _say(f"{len(compared.keys)} settings differ: they stand on the page.")
        return
    head, *rows = list_settings(compared)
    _show_table(head, rows)


def _show_table(
    head: Sequence[str], rows: Sequence[Sequence[str]], *, whole: bool = False
) -> None:
    """Prints a table; with `whole` all but its second column stay on one line."""
    table = Table(*head, box=None)
    for number, column in enumerate(table.columns):
        column.overflow = "fold"
        column.justify = "left" if number < 2 else "right"
        column.no_wrap = whole and number != 1
    for row in rows:
        table.add_row(*(Text(make_printable(cell)) for cell in row))
    print()
    open_console(whole=True).print(table)


def _say(text: str) -> None:
    print("\n".join(make_printable(line) for line in text.split("\n")))
