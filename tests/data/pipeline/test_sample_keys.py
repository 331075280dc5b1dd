import numpy as np
import tensorflow as tf

from experiments.data.pipeline.sample_keys import (
    derive_key,
    draw_uniform,
    key_from_seed,
)


def test_keys_are_the_published_splitmix64_sequence():
    outputs = derive_key(key_from_seed(1234567), tf.range(5, dtype=tf.int64))

    assert outputs.numpy().tolist() == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]


def test_uniform_numbers_fill_the_unit_interval_evenly():
    keys = derive_key(key_from_seed(0), tf.range(100_000, dtype=tf.int64))

    numbers = draw_uniform(keys, 3).numpy()

    counts, _ = np.histogram(numbers, bins=10, range=(0, 1))
    assert numbers.min() >= 0
    assert numbers.max() < 1
    assert counts.sum() == 100_000
    assert abs(counts - 10_000).max() < 400  # four standard deviations


def test_draws_of_one_key_are_unrelated():
    keys = derive_key(key_from_seed(0), tf.range(10_000, dtype=tf.int64))

    correlation = np.corrcoef(draw_uniform(keys, 0), draw_uniform(keys, 1))[0, 1]

    assert abs(correlation) < 0.04


def test_a_negative_seed_is_a_seed():
    assert key_from_seed(-1).numpy() == 2**64 - 1
