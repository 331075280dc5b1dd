"""How long an exported model takes to answer on this machine."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from experiments.export.runtimes import Ask

BATCHES = (1, 32)
_WARM_UP = 3
_MOST_SECONDS = 10.0


@dataclass(frozen=True, kw_only=True)
class Latency:
    """Times of whole calls.

    Attributes:
        batch: Images a call.
        calls: How many were timed.
        p50: Median, milliseconds.
        p99: What one call in a hundred takes longer than, milliseconds.
    """

    batch: int
    calls: int
    p50: float
    p99: float


def measure_latency(
    ask: Ask, images: npt.NDArray[np.uint8], *, calls: int
) -> list[Latency]:
    """Times calls of one image and of 32, one after the other.

    Args:
        ask: What is timed.
        images: Any number of them `(N, H, W, C)`, repeated as needed.
        calls: How many of each size; fewer where they take ten seconds in all.
    """
    return [_measure(ask, images, batch, calls) for batch in BATCHES]


def _measure(
    ask: Ask, images: npt.NDArray[np.uint8], batch: int, calls: int
) -> Latency:
    given = np.ascontiguousarray(images[np.arange(batch) % len(images)])
    for _ in range(_WARM_UP):
        ask(given)
    seconds: list[float] = []
    while len(seconds) < calls and sum(seconds) < _MOST_SECONDS:
        start = time.perf_counter()
        ask(given)
        seconds.append(time.perf_counter() - start)
    p50, p99 = 1000 * np.quantile(seconds, [0.5, 0.99])
    return Latency(batch=batch, calls=len(seconds), p50=float(p50), p99=float(p99))


def describe_latency(times: Sequence[Latency]) -> list[str]:
    """Returns median and 99th percentile of each batch, milliseconds: `4.1/6.0`."""
    return [f"{_round(one.p50)}/{_round(one.p99)}" for one in times]


def _round(milliseconds: float) -> str:
    """Returns three digits, and no exponent: `0.134`, `12.5`, `1532`."""
    return f"{milliseconds:.0f}" if milliseconds >= 100 else f"{milliseconds:.3g}"
