"""Whether a model is as sure as it is right, as a picture."""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_BLUE, _ORANGE, _GREY = "#0072b2", "#d55e00", "#555555"


def draw_reliability(
    edges: npt.NDArray[np.float64],
    counts: npt.NDArray[np.int64],
    confidence: npt.NDArray[np.float64],
    accuracy: npt.NDArray[np.float64],
    *,
    title: str = "",
) -> "Figure":
    """Draws accuracy against confidence, and how many images are where.

    Args:
        edges: float `(B + 1,)`, ends of the bins of confidence, 0..1.
        counts: int `(B,)`, images in each.
        confidence: float `(B,)`, their mean confidence; NaN in an empty bin.
        accuracy: float `(B,)`, the share of them that is right; NaN likewise.
        title: Heading.

    Returns:
        A Matplotlib figure, made without pyplot.
    """
    from experiments.pictures.picture import Picture

    figure = Picture(figsize=(5.5, 6.2), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    width = np.diff(edges)
    used = counts > 0
    above.bar(
        edges[:-1][used],
        accuracy[used],
        width[used],
        align="edge",
        color=_BLUE,
        alpha=0.75,
        edgecolor="white",
        label="accuracy",
    )
    above.plot([0, 1], [0, 1], ls="--", color=_GREY, lw=1, label="as sure as right")
    above.plot(
        confidence[used],
        accuracy[used],
        "o",
        ms=4,
        color=_ORANGE,
        label="mean confidence",
    )
    above.set(ylabel="accuracy", xlim=(0, 1), ylim=(0, 1.02))
    above.set_title(title, parse_math=False)
    figure.legend(loc="outside lower center", frameon=False, fontsize=8, ncols=3)
    below.bar(edges[:-1], counts, width, align="edge", color=_GREY, edgecolor="white")
    below.set(xlabel="confidence", ylabel="images")
    for axes in (above, below):
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    return figure
