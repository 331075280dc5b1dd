"""SplitMix64 in NumPy: the keys of `sample_keys` for whoever has no TensorFlow.

Reference:
    Steele, Lea and Flood (2014), Fast Splittable Pseudorandom Number Generators,
    OOPSLA, Figure 17 (the variant of the constants that Java 8 ships).
"""

from typing import Any

import numpy as np
import numpy.typing as npt

MASK = 2**64 - 1
GAMMA = 0x9E3779B97F4A7C15
MULTIPLIERS = (0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
SHIFTS = (30, 27, 31)


def derive_key(key: Any, number: Any) -> npt.NDArray[np.uint64]:
    """Returns the output `number` (from 0) of SplitMix64 with `key` as the seed.

    Args:
        key: Any Python integer, or uint64 of any shape.
        number: Integers from 0 that broadcast against `key`.
    """
    start = np.asarray(key & MASK, np.uint64)
    with np.errstate(over="ignore"):  # NumPy warns of scalars; this is modulo 2^64
        bits = start + (np.asarray(number).astype(np.uint64) + 1) * np.uint64(GAMMA)
        for shift, multiplier in zip(SHIFTS[:2], MULTIPLIERS, strict=True):
            bits = (bits ^ (bits >> np.uint64(shift))) * np.uint64(multiplier)
    return np.asarray(bits ^ (bits >> np.uint64(SHIFTS[2])))
