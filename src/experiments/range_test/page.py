"""The page of a range test, which holds all that it shows."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from experiments.counts import format_share
from experiments.pages import build_page, command, paragraph, picture, section, table
from experiments.pictures.picture import as_png
from experiments.pictures.range_test import draw_range_test
from experiments.range_test.curve import Curve
from experiments.range_test.proposal import Proposal, write_rate

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw(curves: Sequence[Curve], proposal: Proposal) -> "Figure":
    """Draws the curves, and the proposed rate where there is one."""
    shown = {
        f"seed {curve.seed}": (curve.rates, curve.losses, curve.smoothed)
        for curve in curves
    }
    marked = {}
    if proposal.rate is not None:
        marked[f"proposal, {write_rate(proposal.rate)}"] = proposal.rate
    return draw_range_test(shown, marked=marked)


def build_range_page(
    title: str,
    curves: Sequence[Curve],
    proposal: Proposal,
    *,
    rows: Mapping[str, str],
    line: str | None,
) -> str:
    """Returns the page.

    Args:
        title: A text.
        curves: One a seed.
        proposal: What they speak for.
        rows: What else a person is told: title -> text.
        line: The command that trains with the proposal; `None` without one.
    """
    return build_page(title, _list_sections(curves, proposal, rows, line))


def _list_sections(
    curves: Sequence[Curve],
    proposal: Proposal,
    rows: Mapping[str, str],
    line: str | None,
) -> Iterator[str]:
    told = proposal.override or f"No proposal: {proposal.reason}"
    parts = [paragraph(told)]
    if line is not None:
        parts.append(command(line, "This trains with it:"))
    yield section("Proposal", *parts)
    described = "Losses over the learning rate"
    yield section("Curves", picture(as_png(draw(curves, proposal)), described))
    yield section("Figures", table(("", "value"), rows.items(), words=True))
    heads = ("seed", "steps", "loss falls by", "steepest at", "lowest at", "diverged")
    yield section("Seeds", table(heads, map(_describe, curves)))


def _describe(curve: Curve) -> tuple[str, ...]:
    return (
        str(curve.seed),
        f"{len(curve.losses):,}",
        format_share(curve.fall, 1),
        f"{curve.rates[curve.steepest]:.2g}",
        f"{curve.rates[curve.lowest]:.2g}",
        f"at {curve.rates[-1]:.2g}" if curve.diverged else "no",
    )
