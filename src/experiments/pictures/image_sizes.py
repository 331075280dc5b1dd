"""How large image files are, as a picture."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_COLOUR, _NEEDED = "#0072b2", "#d55e00"
_BINS = 40


def draw_image_sizes(sizes: Sequence[tuple[int, int]], *, needed: float) -> "Figure":
    """Draws width against height, and how often each shorter side occurs.

    Args:
        sizes: Width and height of each file, at least one.
        needed: The shorter side below which an image is enlarged.

    Returns:
        A Matplotlib figure of two panels, made without pyplot.
    """
    from experiments.pictures.picture import Picture

    figure = Picture(figsize=(9, 3.8), layout="constrained")
    each, shorter = figure.subplots(1, 2)
    widths, heights = np.array(sizes).T
    each.scatter(widths, heights, s=10, alpha=0.35, color=_COLOUR, linewidths=0)
    each.set(xlabel="width in pixels", ylabel="height in pixels")
    each.set_xlim(0, 1.05 * widths.max())
    each.set_ylim(0, 1.05 * heights.max())
    shorter.hist(np.minimum(widths, heights), bins=_BINS, color=_COLOUR)
    shorter.axvline(
        needed, color=_NEEDED, ls="--", lw=1.2, label="below: images are enlarged"
    )
    shorter.set(xlabel="shorter side in pixels", ylabel="files")
    shorter.set_xlim(left=0)
    for axes in (each, shorter):
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside lower center", frameon=False)
    return figure
