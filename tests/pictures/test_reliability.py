import io

import numpy as np

from experiments.pictures.reliability import draw_reliability


def test_empty_bins_have_no_bar() -> None:
    edges = np.linspace(0, 1, 5)
    nan = np.nan
    figure = draw_reliability(
        edges,
        np.array([0, 2, 0, 6]),
        np.array([nan, 0.4, nan, 0.9]),
        np.array([nan, 0.5, nan, 1.0]),
        title="$ECE$",
    )
    figure.savefig(io.BytesIO(), format="png", dpi=40)
    above, below = figure.axes
    assert [bar.get_height() for bar in above.patches] == [0.5, 1.0]
    assert [bar.get_x() for bar in above.patches] == [0.25, 0.75]
    assert [bar.get_height() for bar in below.patches] == [0, 2, 0, 6]
