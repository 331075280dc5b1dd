"""A figure that a notebook shows by itself, with or without pyplot."""

import io

from matplotlib.figure import Figure


class Picture(Figure):
    """A Matplotlib figure made without pyplot, which a server or a thread may use."""

    def _repr_png_(self) -> bytes:
        """Returns what IPython shows of it."""
        return as_png(self)


def as_png(figure: Figure, dpi: int = 100) -> bytes:
    """Returns a figure as a PNG file."""
    image = io.BytesIO()
    figure.savefig(image, format="png", dpi=dpi)
    return image.getvalue()
