"""A sheet of example images with their labels."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

_CELL_INCHES = 1.15
_LABEL_INCHES = 0.24
_LONGEST_LABEL = 18
# Below this many pixels a side an image is shown as blocks, not smoothed.
_SMALL = 64


def draw_grid(
    images: npt.NDArray[np.uint8],
    labels: npt.NDArray[np.int32],
    class_names: Sequence[str],
    *,
    columns: int = 8,
    title: str = "",
) -> Figure:
    """Draws images in rows, each with the name of its class below.

    Args:
        images: uint8 `(N, H, W, C)`, one or three channels.
        labels: int `(N,)`.
        class_names: Name of each label.
        columns: Images in a row.
        title: Heading; none when empty.

    Returns:
        A figure that belongs to no window: `figure.savefig(path)` writes it.
    """
    columns = max(1, min(columns, len(images)))
    rows = max(1, -(-len(images) // columns))
    aspect = images.shape[1] / images.shape[2]
    size = (
        columns * _CELL_INCHES,
        rows * (_CELL_INCHES * aspect + _LABEL_INCHES) + (0.4 if title else 0.0),
    )
    layout = ConstrainedLayoutEngine(w_pad=0.03, h_pad=0.03, wspace=0, hspace=0)
    figure = Figure(figsize=size, dpi=150, facecolor="white", layout=layout)
    FigureCanvasAgg(figure)
    if title:
        figure.suptitle(title, fontsize=10)
    axes = figure.subplots(rows, columns, squeeze=False).flat
    for position, cell in enumerate(axes):
        cell.set_axis_off()
        if position < len(images):
            _draw_cell(cell, images[position], class_names[int(labels[position])])
    return figure


def _draw_cell(cell: Any, image: npt.NDArray[np.uint8], name: str) -> None:
    grey = image.shape[-1] == 1
    cell.imshow(
        image[..., 0] if grey else image,
        cmap="gray" if grey else None,
        vmin=0,
        vmax=255,
        interpolation="nearest" if max(image.shape) < _SMALL else "antialiased",
    )
    shown = name if len(name) <= _LONGEST_LABEL else name[: _LONGEST_LABEL - 1] + "…"
    cell.text(
        0.5, -0.04, shown, transform=cell.transAxes, ha="center", va="top", fontsize=7
    )
