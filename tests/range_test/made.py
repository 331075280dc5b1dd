"""Curves as a training would draw them, by formula."""

import math

from experiments.range_test.curve import Curve


def make_curve(
    *,
    seed: int = 0,
    centre: float = 1e-3,
    fall: float = 1.0,
    diverges: float = 1.0,
    steps: int = 101,
) -> Curve:
    """A loss of 2 that falls around `centre` and explodes from `diverges` on.

    The rates go from 1e-6 to 10.
    """
    rates, losses = [], []
    for step in range(steps):
        rate = 10 ** (-6 + 7 * step / (steps - 1))
        position = math.log10(rate / centre)
        loss = 2 - fall / (1 + math.exp(-4 * position))
        if rate >= diverges:
            loss += (rate / diverges) ** 4
        rates.append(rate)
        losses.append(loss)
        if loss > 100:
            break
    return Curve(seed=seed, rates=tuple(rates), losses=tuple(losses), smoothing=0.0)
