import math

from experiments.pictures.range_test import draw_range_test


def test_a_lost_training_does_not_flatten_the_others() -> None:
    figure = draw_range_test(
        {
            "seed 0": ([1e-3, 1e-2, 1e-1], [2.0, 1.0, 1e9], [2.0, 1.0, 1e9]),
            "seed 1": ([1e-3, 1e-2], [2.0, math.nan], [2.0, math.nan]),
        },
        marked={"proposal, 0.01": 1e-2},
    )
    (axes,) = figure.axes
    bottom, top = axes.get_ylim()
    assert bottom < 1.0
    assert 2.0 < top < 4.0
    assert axes.get_xscale() == "log"
    names = [text.get_text() for text in axes.get_legend().get_texts()]
    assert names == ["seed 0", "seed 1", "proposal, 0.01"]
