"""Random numbers for a whole batch at once, each from its own sample's key.

TensorFlow's stateless generators take one seed for a tensor: they would tie the
numbers of a sample to the batch it happens to be in, or cost one operation a sample.
SplitMix64 is a few integer operations, for a whole batch at once; `splitmix` names its
source and computes the same without TensorFlow.
"""

from typing import Any

import tensorflow as tf

from experiments.data.pipeline.splitmix import GAMMA, MASK, MULTIPLIERS, SHIFTS


def key_from_seed(seed: int) -> Any:
    """Returns a scalar uint64 key; any Python integer is a seed."""
    return tf.constant(seed & MASK, tf.uint64)


def derive_key(key: Any, number: Any) -> Any:
    """Returns the output `number` (from 0) of SplitMix64 with `key` as the seed.

    Args:
        key: uint64, any shape.
        number: Integers that broadcast against `key`.
    """
    count = tf.cast(number, tf.uint64) + _constant(1)
    return _mix(key + count * _constant(GAMMA))


def draw_uniform(keys: Any, number: Any) -> Any:
    """Returns float32 in [0, 1) with 24 random bits.

    Args:
        keys: uint64, any shape.
        number: Which draw, integers that broadcast against `keys`; different numbers
            are independent.
    """
    bits = tf.bitwise.right_shift(derive_key(keys, number), _constant(40))
    return tf.cast(tf.cast(bits, tf.int32), tf.float32) * 2.0**-24


def _mix(bits: Any) -> Any:
    bits = _xor_shift(bits, SHIFTS[0]) * _constant(MULTIPLIERS[0])
    bits = _xor_shift(bits, SHIFTS[1]) * _constant(MULTIPLIERS[1])
    return _xor_shift(bits, SHIFTS[2])


def _xor_shift(bits: Any, places: int) -> Any:
    shifted = tf.bitwise.right_shift(bits, _constant(places))
    return tf.bitwise.bitwise_xor(bits, shifted)


def _constant(value: int) -> Any:
    return tf.constant(value, tf.uint64)
