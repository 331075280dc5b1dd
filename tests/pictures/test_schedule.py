from experiments.pictures.schedule import draw_schedule


def test_rates_stand_over_the_epochs_that_have_passed() -> None:
    steps = {0: 0.1, 5: 1.0, 9: 0.5}
    figure = draw_schedule(steps, {1: 0.9, 2: 0.5}, steps_per_epoch=5)
    curve, dots = figure.axes[0].lines
    assert list(curve.get_xdata()) == [0, 1.0, 1.8]
    assert list(curve.get_ydata()) == [0.1, 1.0, 0.5]
    assert list(dots.get_xdata()) == [0.8, 1.8]
    assert list(dots.get_ydata()) == [0.9, 0.5]
