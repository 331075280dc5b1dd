"""Images that are drawn anew with replacement, and what a number was among them."""

from collections.abc import Iterator

import numpy as np

from experiments.evaluation.predictions import Floats, Integers

RESAMPLES = 2000
LEVEL = 0.95
Interval = tuple[float, float]

_BLOCK = 100  # resamples that a matrix product weighs at once


def find_interval(values: Floats) -> Interval:
    """Returns the interval that holds 95 % of bootstrapped values."""
    low, high = np.nanquantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def draw_weights(count: int, seed: int) -> Iterator[Integers]:
    """Yields how often each of `count` images is in a resample, int `(count,)`."""
    generator = np.random.default_rng(seed)
    for _ in range(RESAMPLES):
        drawn = generator.integers(0, count, count)
        yield np.bincount(drawn, minlength=count)


def draw_blocks(count: int, seed: int) -> Iterator[Integers]:
    """Yields the resamples of `draw_weights` in blocks, int `(100, count)`."""
    weights = draw_weights(count, seed)
    for _ in range(RESAMPLES // _BLOCK):
        yield np.stack([next(weights) for _ in range(_BLOCK)])
