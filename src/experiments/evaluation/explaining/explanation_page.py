"""The page that shows where images speak for classes."""

from collections.abc import Iterator, Sequence

from experiments.counts import count_of, format_share
from experiments.evaluation.explaining.explanation import STRONGEST, Explanation
from experiments.pages import build_page, gallery, paragraph, section
from experiments.pictures.heat_map import draw_scale, enlarge, lay_over
from experiments.pictures.thumbnail import draw_thumbnail

# A figure is as wide as its picture, so that three stand side by side.
_STYLE = """
.gallery figure { width: 280px; font-size: 13px; }
.gallery img { width: 280px; height: auto; max-height: 420px; background: none; }
"""
_METHODS = {
    "cam": (
        "The maps are class activation maps (CAM): each place's exact part of the "
        "score of the class."
    ),
    "grad_cam": (
        "The maps are made by Grad-CAM: the network's last maps, weighted by how much "
        "each moves the score of the class."
    ),
}


def build_explanation_page(
    explanations: Sequence[Explanation], *, title: str, notes: Sequence[str] = ()
) -> str:
    """Returns the page, which holds all that it shows, some 40 kB an image.

    Args:
        explanations: Of the images, at least one.
        title: Heading.
        notes: What else there is to say, such as files that could not be read.
    """
    sections = [*_introduce(explanations, notes), *map(_show, explanations)]
    return build_page(title, sections, style=_STYLE)


def _introduce(
    explanations: Sequence[Explanation], notes: Sequence[str]
) -> Iterator[str]:
    yield paragraph(
        "Where the model sees what speaks for a class. The image is grey where "
        f"nothing does, and brightest in {STRONGEST}: each map has a scale of its own. "
        f"{_METHODS[explanations[0].method]}"
    )
    yield gallery([(draw_thumbnail(draw_scale(24, 280)), "nothing → strongest place")])
    yield paragraph(f"{count_of(len(explanations), 'image')}.")
    yield from map(paragraph, notes)


def _show(one: Explanation) -> str:
    likeliest = ", ".join(
        f"{name} ({format_share(share, 1)})" for name, share in one.likeliest
    )
    pictures = [(draw_thumbnail(enlarge(one.pixels)), "the image as the model sees it")]
    for view in one.views:
        shown = lay_over(one.pixels, view.heat)
        pictures.append((draw_thumbnail(shown), view.heading))
    return section(one.name, paragraph(f"Likeliest: {likeliest}."), gallery(pictures))
