"""A comparison as one page, which needs no network."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from experiments import pages
from experiments.comparison.cells import list_results, list_settings, tell_states
from experiments.comparison.compared import Compared
from experiments.comparison.contrast import Case, Contrast
from experiments.comparison.curves import MOST, count_undrawn, plot_curves
from experiments.comparison.words import (
    describe_rest,
    tell_best,
    tell_contrast,
    tell_verdicts,
)
from experiments.counts import count_of

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_TOLD = 40  # runs that did not finish
# The second column of results is a name, which may be long.
_STYLE = """
td:first-child { font-weight: bold; }
td:nth-child(2), th:nth-child(2) { text-align: left; white-space: normal;
  overflow-wrap: break-word; min-width: 10rem; max-width: 30rem; }
table.words td:nth-child(2), table.words th:nth-child(2) { min-width: 0; }
"""


def build_comparison_page(compared: Compared) -> str:
    """Returns the page: some 2 MB, and up to 20 kB for each image that is shown."""
    figure = plot_curves(compared.groups)
    return pages.build_page(
        compared.title,
        _list_sections(compared, figure),
        style=_STYLE,
        head="" if figure is None else pages.figure_library(),
    )


def _list_sections(compared: Compared, figure: "Figure | None") -> Iterator[str]:
    yield pages.paragraph(tell_best(compared))
    for caution in compared.cautions:
        yield pages.paragraph(caution)
    head, *rows = list_results(compared)
    yield pages.section("Results", pages.table(head, rows), *_tell_columns(compared))
    yield _show_verdicts(compared)
    if compared.keys:
        head, *rows = list_settings(compared)
        yield pages.section("Settings that differ", pages.table(head, rows, words=True))
    yield _show_curves(compared, figure)
    yield from _show_contrast(compared)
    yield _show_runs(compared)


def _tell_columns(compared: Compared) -> Iterator[str]:
    if compared.has_folds:
        yield pages.paragraph(
            "A row over folds has the means of its runs; n counts those with a result. "
            "Folds share training images, so that no interval follows from them."
        )
    if compared.has_intervals:
        yield pages.paragraph(
            "A row with several seeds has their means; n counts those with a result, "
            "and the interval is Student's 95 % interval of the mean."
        )
    yield pages.paragraph(
        "Time is that of the training steps, without validation; images/s is that of "
        "the middle epoch; disk is that of all runs of a row."
    )
    states = tell_states(compared.groups)
    if states:
        more = describe_rest(len(states) - _TOLD, "run")
        yield pages.listing([*states[:_TOLD], *more])


def _show_verdicts(compared: Compared) -> str:
    sentences, notes = tell_verdicts(compared)
    parts = [pages.listing(sentences)] if sentences else []
    parts += [pages.paragraph(note) for note in notes]
    parts += [pages.command(line, why) for why, line in compared.commands]
    return pages.section("Which is better", *parts)


def _show_curves(compared: Compared, figure: "Figure | None") -> str:
    undrawn, without = count_undrawn(compared.groups)
    notes = []
    if figure is not None:
        notes.append(
            "Click at a row below the curves to hide it, twice to see it alone."
        )
    if undrawn:
        notes.append(f"Drawn are the best {MOST}; {undrawn} more are not.")
    if without:
        notes.append(
            f"{count_of(without, 'row')} without a curve: no epoch ended, or "
            "tracking=off, which keeps none."
        )
    drawn = [] if figure is None else [pages.figure(figure, "curves")]
    texts = [pages.paragraph(" ".join(notes))] if notes else []
    return pages.section("Curves", *texts, *drawn)


def _show_contrast(compared: Compared) -> Iterator[str]:
    found = compared.contrast
    if found is None:
        if compared.refusal:
            yield pages.section(
                "Where they disagree", pages.paragraph(compared.refusal)
            )
        return
    yield pages.section("Where they disagree", pages.paragraph(tell_contrast(found)))
    if not found.is_any:
        return
    right = "alone gets right"
    if found.first.seeds > 1 or found.second.seeds > 1:
        right = "gets right more often"
    sides = ((found.first, found.only_first), (found.second, found.only_second))
    for number, (group, cases) in enumerate(sides):
        count = count_of(found.counts[number], "image")
        yield pages.heading(f"{group} {right}: {count}")
        if cases:
            yield _show_cases(compared, found, cases)


def _show_cases(compared: Compared, found: Contrast, cases: Sequence[Case]) -> str:
    letters = (found.first.letter, found.second.letter)
    wanted = [(case.sample, case.digest) for case in cases]
    files = [] if compared.draw is None else compared.draw(wanted)
    if len(files) == len(cases) and all(file is not None for file in files):
        shown = [
            (file, _describe(case, letters))
            for file, case in zip(files, cases, strict=True)
            if file is not None
        ]
        # Tiny images are PNG files.
        return pages.gallery(shown, small=shown[0][0].startswith(b"\x89PNG"))
    head = ["image", "true", *letters]
    return pages.table(head, [[c.sample, c.truth, *c.told] for c in cases], words=True)


def _describe(case: Case, letters: Sequence[str]) -> str:
    told = zip(letters, case.told, strict=True)
    return " ".join(
        [f"{case.sample} is {case.truth}.", *(f"{who}: {what}." for who, what in told)]
    )


def _show_runs(compared: Compared) -> str:
    rows = [
        [
            group.letter,
            member.name,
            member.run_id or "-",
            "-" if member.folder is None else member.folder.name,
            member.state,
        ]
        for group in compared.groups
        for member in group.members
    ]
    head = ["", "run", "id", "folder", "state"]
    return pages.section("Runs", pages.table(head, rows, words=True))
