"""Random numbers for a whole batch at once, each from its own sample's key.

TensorFlow's stateless generators take one seed for a tensor: they would tie the
numbers of a sample to the batch it happens to be in, or cost one operation a sample.
SplitMix64 is a few integer operations, for a whole batch at once.

Reference:
    Steele, Lea and Flood (2014), Fast Splittable Pseudorandom Number Generators,
    OOPSLA, Figure 17 (the variant of the constants that Java 8 ships).
"""

from typing import Any

import tensorflow as tf

_GAMMA = 0x9E3779B97F4A7C15
_MASK = 2**64 - 1


def key_from_seed(seed: int) -> Any:
    """Returns a scalar uint64 key; any Python integer is a seed."""
    return tf.constant(seed & _MASK, tf.uint64)


def derive_key(key: Any, number: Any) -> Any:
    """Returns the output `number` (from 0) of SplitMix64 with `key` as the seed.

    Args:
        key: uint64, any shape.
        number: Integers that broadcast against `key`.
    """
    count = tf.cast(number, tf.uint64) + tf.constant(1, tf.uint64)
    return _mix(key + count * tf.constant(_GAMMA, tf.uint64))


def draw_uniform(keys: Any, number: Any) -> Any:
    """Returns float32 in [0, 1) with 24 random bits.

    Args:
        keys: uint64, any shape.
        number: Which draw, integers that broadcast against `keys`; different numbers
            are independent.
    """
    bits = tf.bitwise.right_shift(derive_key(keys, number), _constant(40))
    return tf.cast(tf.cast(bits, tf.int32), tf.float32) * 2.0**-24


def split_key(key: Any) -> Any:
    """Returns a scalar key as two uint32, the seed form of `index_shuffle`."""
    high = tf.bitwise.right_shift(key, _constant(32))
    low = tf.bitwise.bitwise_and(key, _constant(0xFFFFFFFF))
    return tf.cast(tf.stack([high, low]), tf.uint32)


def _mix(bits: Any) -> Any:
    bits = _xor_shift(bits, 30) * _constant(0xBF58476D1CE4E5B9)
    bits = _xor_shift(bits, 27) * _constant(0x94D049BB133111EB)
    return _xor_shift(bits, 31)


def _xor_shift(bits: Any, places: int) -> Any:
    shifted = tf.bitwise.right_shift(bits, _constant(places))
    return tf.bitwise.bitwise_xor(bits, shifted)


def _constant(value: int) -> Any:
    return tf.constant(value, tf.uint64)
