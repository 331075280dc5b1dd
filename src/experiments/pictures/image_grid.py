"""A sheet of example images with their labels."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from experiments.pictures.lettering import Lettering, letter_classes
from experiments.pictures.mixed_labels import list_shares, name_parts

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Inches.
_IMAGE_WIDTH = 1.1
_GAP = 0.12
_LABEL_HEIGHT = 0.2
_LINE_HEIGHT = 0.12  # of each further class of a mixture
_DROP = 0.04
_TITLE_HEIGHT = 0.3
_LONGEST_LABEL = 19
# Below this many pixels a side an image is shown as blocks, not smoothed.
_SMALL = 64


def draw_grid(
    images: npt.NDArray[np.uint8],
    labels: npt.NDArray[np.int32] | npt.NDArray[np.float32],
    class_names: Sequence[str],
    *,
    columns: int = 8,
    title: str = "",
) -> Figure:
    """Draws images in rows, each with the name of its class below.

    Args:
        images: uint8 `(N, H, W, C)`, one or three channels, at least one image.
        labels: int `(N,)`, or the share of each class, float or uint8 `(N, classes)`:
            then each class has a line.
        class_names: Name of each label.
        columns: Images in a row.
        title: Heading; none when empty.

    Returns:
        A figure that belongs to no window: `figure.savefig(path)` writes it.
    """
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    image_height = _IMAGE_WIDTH * images.shape[1] / images.shape[2]
    shares = [list_shares(label) for label in labels]
    label_height = _LABEL_HEIGHT + (max(1, *map(len, shares)) - 1) * _LINE_HEIGHT
    cell_width, cell_height = _IMAGE_WIDTH + _GAP, image_height + label_height + _GAP
    width = columns * cell_width + _GAP
    height = rows * cell_height + _GAP + (_TITLE_HEIGHT if title else 0)
    figure = Figure(figsize=(width, height), dpi=150, facecolor="white")
    FigureCanvasAgg(figure)
    # Axes of its own for each image would take several times as long.
    sheet = figure.add_axes((0, 0, 1, 1))
    sheet.set_axis_off()
    if title:
        middle = height - (_GAP + _TITLE_HEIGHT) / 2
        heading = sheet.text(width / 2, middle, title, fontsize=10, ha="center")
        heading.set(va="center", parse_math=False)
    met = sorted({number for label in shares for number, _ in label})
    lettering = letter_classes([class_names[number] for number in met])
    for position, (image, label) in enumerate(zip(images, shares, strict=True)):
        row, column = divmod(position, columns)
        left = _GAP + column * cell_width
        bottom = (rows - 1 - row) * cell_height + _GAP + label_height
        extent = (left, left + _IMAGE_WIDTH, bottom, bottom + image_height)
        _draw_image(sheet, image, extent)
        names = [
            lettering.write(class_names[n], n, width=_LONGEST_LABEL) for n, _ in label
        ]
        parts = name_parts(label, names)
        _draw_name(sheet, " +\n".join(parts), lettering, extent)
    sheet.set(xlim=(0, width), ylim=(0, height))
    return figure


def _draw_image(
    sheet: "Axes",
    image: npt.NDArray[np.uint8],
    extent: tuple[float, float, float, float],
) -> None:
    """Draws an image between left, right, bottom and top, in inches."""
    grey = image.shape[-1] == 1
    sheet.imshow(
        image[..., 0] if grey else image,
        cmap="gray" if grey else None,
        vmin=0,
        vmax=255,
        aspect="auto",
        extent=extent,
        interpolation="nearest" if max(image.shape) < _SMALL else "antialiased",
    )


def _draw_name(
    sheet: "Axes",
    name: str,
    lettering: Lettering,
    extent: tuple[float, float, float, float],
) -> None:
    """Draws a name below its image, as it is: a class may be called `$x$`."""
    left, right, bottom, _ = extent
    sheet.text(
        (left + right) / 2,
        bottom - _DROP,
        name,
        fontfamily=list(lettering.families),
        fontsize=7,
        ha="center",
        va="top",
        parse_math=False,
    )
