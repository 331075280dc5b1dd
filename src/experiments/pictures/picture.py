"""A figure that a notebook shows by itself, with or without pyplot."""

import io

from matplotlib.figure import Figure


class Picture(Figure):
    """A Matplotlib figure made without pyplot, which a server or a thread may use."""

    def _repr_png_(self) -> bytes:
        """Returns what IPython shows of it."""
        image = io.BytesIO()
        self.savefig(image, format="png", dpi=100)
        return image.getvalue()
