"""An image comes several times in a row, with another key each time."""

import numpy as np
import tensorflow as tf

from experiments.data.pipeline.order import SampleOrder


def order(**changes):
    values = {"count": 20, "batch_size": 8, "seed": 3, "shuffle": True}
    return SampleOrder(**{**values, "drop_remainder": False, "repeats": 3, **changes})


def read(order, steps):
    indices, keys = [], []
    for step in steps:
        found = order.locate_batch(tf.constant(step, tf.int64))
        indices += found.numpy().tolist()
        keys += order.derive_keys(tf.constant(step, tf.int64), found).numpy().tolist()
    return indices, keys


def test_epoch_has_as_many_steps_and_a_third_of_the_images():
    indices, keys = read(order(), range(3))
    assert len(indices) == 20
    assert order().steps_per_epoch == 3
    assert indices[::3] == list(dict.fromkeys(indices))  # each three times in a row
    assert len(set(indices)) == 7
    assert len(set(keys)) == 20


def test_next_epoch_has_others():
    assert set(read(order(), range(3))[0]) != set(read(order(), range(3, 6))[0])


def test_first_time_has_the_key_of_an_image_that_is_not_repeated():
    indices, keys = read(order(), range(3))
    alone = dict(zip(*read(order(repeats=1), range(3)), strict=True))
    assert [alone[n] for n in indices[::3]] == keys[::3]


def test_places_are_those_of_the_batch():
    step = tf.constant(2, tf.int64)
    places, used = order().locate_places(step)
    expected = order().locate_batch(step)
    assert np.array_equal(places[used], expected)
    keys = order().derive_keys(step, places)[: len(expected)]
    assert np.array_equal(keys, order().derive_keys(step, expected))
