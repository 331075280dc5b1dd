"""Where something is in an image, as colours over it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PIL import Image

from experiments.pictures.lettering import Lettering, choose_lettering, shorten
from experiments.pictures.thumbnail import is_tiny

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLOURS = "inferno"
# Of these, from the first that is none of the greys to the last that is not white.
_COLDEST, _HOTTEST = 0.25, 0.93
_COVERED = 0.7  # of the image in the hottest place
# What is not hot is neither black nor white: colours stand out against it.
_DARKEST, _LIGHTEST = 0.12, 0.72
_ENLARGED = 280  # pixels a side at least, to which a tiny image is enlarged
_INCHES = 3.0  # of an image's width
_LONGEST = 32  # letters of a heading

Pixels = npt.NDArray[np.uint8]
Heat = npt.NDArray[np.float32]


def lay_over(pixels: Pixels, heat: Heat) -> Pixels:
    """Returns an image in grey, with heat in colours over it.

    Args:
        pixels: uint8 `(H, W, C)`, one or three channels.
        heat: `(H, W)` in 0..1; where it is 0 there is no colour.

    Returns:
        uint8 `(h, w, 3)`: as large as the image; of a tiny one whole blocks a pixel.
    """
    import matplotlib

    grey = np.asarray(Image.fromarray(enlarge(pixels)).convert("L"), np.float32) / 255
    smooth = Image.fromarray(np.asarray(heat, np.float32))
    resized = smooth.resize(grey.shape[::-1], Image.Resampling.BILINEAR)
    hot = np.asarray(resized)[..., None].clip(0, 1)
    shown = _DARKEST + (_LIGHTEST - _DARKEST) * grey[..., None]
    places = _COLDEST + (_HOTTEST - _COLDEST) * hot[..., 0]
    colours = matplotlib.colormaps[_COLOURS](places)[..., :3]
    cover = _COVERED * hot**0.75  # what is hardly warm hides hardly anything
    mixed = 255 * (shown * (1 - cover) + colours * cover)
    return np.asarray(mixed.round(), np.uint8)


def enlarge(pixels: Pixels) -> Pixels:
    """Returns an image in colours `(h, w, 3)`, a tiny one with blocks for its pixels.

    Args:
        pixels: uint8 `(H, W, C)`, one or three channels.
    """
    colours = np.broadcast_to(pixels, (*pixels.shape[:2], 3))
    if not is_tiny(pixels):
        return np.ascontiguousarray(colours)
    times = -(-_ENLARGED // max(pixels.shape[:2]))
    return colours.repeat(times, axis=0).repeat(times, axis=1)


def draw_scale(height: int = 14, width: int = 280) -> Pixels:
    """Returns what the colours look like on grey from no heat to all, from the left."""
    heat = np.broadcast_to(np.linspace(0, 1, width, dtype=np.float32), (height, width))
    pixels = np.full((height, width, 1), 128, np.uint8)
    return lay_over(pixels, heat)


def draw_heat_maps(
    pixels: Pixels, maps: Sequence[tuple[str, Heat]], *, title: str, scale: str
) -> "Figure":
    """Draws an image, heat maps over it beside it, and what their colours mean.

    Args:
        pixels: uint8 `(H, W, C)`, one or three channels.
        maps: The heading of each, and it itself, `(H, W)` in 0..1.
        title: Heading of the image.
        scale: What the hottest place is, in a few words.

    Returns:
        A Matplotlib figure, made without pyplot.
    """
    from experiments.pictures.picture import Picture

    panels = [(title, enlarge(pixels)), *((t, lay_over(pixels, m)) for t, m in maps)]
    height = _INCHES * pixels.shape[0] / pixels.shape[1]
    size = (_INCHES * len(panels), height + 0.75)
    figure = Picture(figsize=size, layout="constrained", facecolor="white")
    parts = figure.subfigures(2, 1, squeeze=False, height_ratios=(height + 0.3, 0.45))
    above, below = parts[:, 0]
    lettering = choose_lettering([text for text, _ in panels])
    every = above.subplots(1, len(panels), squeeze=False)[0]
    drawn = "nearest" if is_tiny(pixels) else "antialiased"
    for axes, (text, shown) in zip(every, panels, strict=True):
        axes.imshow(shown, interpolation=drawn)
        _name(axes, text, lettering)
    bar = below.subplots()
    bar.imshow(draw_scale(), aspect="auto", extent=(0, 1, 0, 1))
    bar.set(yticks=[], xticks=[0, 1])
    bar.set_xticklabels(["nothing", scale], fontsize=8)
    for label, side in zip(bar.get_xticklabels(), ("left", "right"), strict=True):
        label.set_horizontalalignment(side)
    return figure


def _name(axes: "Axes", text: str, lettering: Lettering) -> None:
    axes.set_axis_off()
    axes.set_title(
        shorten(lettering.replace(text), _LONGEST),
        fontsize=9,
        parse_math=False,
        fontfamily=list(lettering.families),
    )
