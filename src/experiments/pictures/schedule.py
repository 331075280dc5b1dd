"""The learning rates of a training as a picture."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_COLOUR = "#0072b2"
_MARKED_EPOCHS = 30  # up to here each epoch's end is a dot


def draw_schedule(
    steps: Mapping[int, float], epochs: Mapping[int, float], *, steps_per_epoch: int
) -> "Figure":
    """Draws the rate over the epochs.

    Args:
        steps: Step, counted from 0 over all epochs -> its rate.
        epochs: Number of an epoch, from 1 on -> the rate of its last step.
        steps_per_epoch: Steps of an epoch.

    Returns:
        A Matplotlib figure, made without pyplot.
    """
    from experiments.pictures.picture import Picture

    figure = Picture(figsize=(9, 3.4), layout="constrained")
    axes = figure.subplots()
    axes.plot(
        [step / steps_per_epoch for step in steps],
        list(steps.values()),
        color=_COLOUR,
        label="each step",
    )
    if len(epochs) <= _MARKED_EPOCHS:
        places = [number - 1 / steps_per_epoch for number in epochs]
        axes.plot(places, list(epochs.values()), "o", ms=4, color=_COLOUR, label="lr")
    axes.set(xlabel="epochs that have passed", ylabel="learning rate")
    axes.set_ylim(bottom=0)
    axes.set_xlim(0, max(epochs))
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    return figure
