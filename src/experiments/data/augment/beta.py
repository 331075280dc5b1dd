"""Random shares: draws of the symmetric beta distribution, in closed form."""

import math
from typing import Any

import tensorflow as tf

from experiments.data.pipeline.sample_keys import draw_uniform


def draw_beta(keys: Any, number: int, alpha: float) -> Any:
    """Returns draws of Beta(alpha, alpha), float32 in [0, 1].

    Bailey's polar method gives a Student t from two uniform numbers, and
    (1 + t / sqrt(2 alpha + t^2)) / 2 of one with 2 alpha degrees of freedom is such a
    draw: nothing is rejected, so that a draw costs two numbers whatever alpha is.

    Args:
        keys: uint64, any shape.
        number: The first of two numbers of the keys that are used.
        alpha: More than 0; 1 is uniform, less prefers the ends.

    Reference:
        Bailey (1994), Polar generation of random variates with the t-distribution;
        Devroye (1996), Random variate generation in one line of code, section 4.
    """
    uniform = 1 - draw_uniform(keys, number)  # (0, 1]
    power = tf.exp(tf.math.log(uniform) / alpha)
    cosine = tf.cos(2 * math.pi * draw_uniform(keys, number + 1))
    spread = (1 - power) * cosine * cosine
    total = tf.maximum(power + spread, 1e-38)
    # (1 - root) / 2, without the difference of near equals.
    smaller = power / total / (2 * (1 + tf.sqrt(spread / total)))
    return tf.where(cosine < 0, smaller, 1 - smaller)
