"""Finds perceptual hashes that hardly differ, without comparing all with all."""

import itertools
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]
Rows = npt.NDArray[np.int64]

BITS = 64
_AT_ONCE = 2**22  # comparisons, of which each takes some bytes
_HEIGHT = 64  # rows at once: above the diagonal is half of all comparisons


def find_near(hashes: Hashes, most: int) -> Iterator[tuple[Rows, Rows]]:
    """Yields pairs of hashes that differ in few bits, several at a time.

    The 64 bits are cut into one band more than may differ: two hashes that differ in
    so few bits have a band in common, so that only those within a band's bucket are
    compared. A pair may come several times, once for each such band.

    Args:
        hashes: uint64 `(N,)`.
        most: Bits that may differ, 0 to 63.

    Yields:
        Rows `(P,)` and other rows `(P,)`, each smaller than its other.

    Reference:
        Manku, Jain and Sarma (2007), Detecting near-duplicates for web crawling.
    """
    for shift, mask in _cut_bands(most + 1):
        keys = (hashes >> shift) & mask
        order = np.argsort(keys, kind="stable")
        starts = np.flatnonzero(np.diff(keys[order])) + 1
        for bucket in np.split(order, starts):
            if len(bucket) > 1:
                yield from _compare(hashes, bucket, most)


def count_different_bits(one: Hashes, other: Hashes) -> npt.NDArray[np.uint8]:
    """Returns how many bits of two hashes differ, by position."""
    return np.bitwise_count(one ^ other)


def _cut_bands(count: int) -> Iterator[tuple[np.uint64, np.uint64]]:
    """Yields shift and mask of each band."""
    ends = [BITS * number // count for number in range(count + 1)]
    for start, end in itertools.pairwise(ends):
        yield np.uint64(start), np.uint64(2 ** (end - start) - 1)


def _compare(hashes: Hashes, bucket: Rows, most: int) -> Iterator[tuple[Rows, Rows]]:
    """Yields the near pairs of a bucket, whose rows ascend."""
    members = hashes[bucket]
    height = min(max(_AT_ONCE // len(bucket), 1), _HEIGHT)
    for start in range(0, len(bucket), height):
        block = members[start : start + height, None]
        differ = np.bitwise_count(block ^ members[None, start:])
        above, right = np.nonzero(differ <= most)
        kept = right > above
        above, right = above[kept] + start, right[kept] + start
        if len(above):
            yield bucket[above], bucket[right]
