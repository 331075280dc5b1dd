import numpy as np
import pytest
import tensorflow as tf

from experiments.data.pipeline.order import SampleOrder
from experiments.data.pipeline.shuffle import shuffle_epoch


def order_of(**changes):
    arguments = {
        "count": 10,
        "batch_size": 4,
        "seed": 0,
        "shuffle": True,
        "drop_remainder": False,
    }
    return SampleOrder(**{**arguments, **changes})


def step(number):
    return tf.constant(number, tf.int64)


@pytest.mark.parametrize("drop_remainder", [True, False])
@pytest.mark.parametrize("shuffle", [True, False])
def test_places_and_batches_are_the_same_images_with_the_same_keys(
    shuffle, drop_remainder
):
    order = order_of(shuffle=shuffle, drop_remainder=drop_remainder)

    for number in range(7):
        indices = order.locate_batch(step(number))
        places, used = order.locate_places(step(number))
        assert len(places) == 4
        assert places[used].numpy().tolist() == indices.numpy().tolist()
        keys = order.derive_keys(step(number), indices)
        place_keys = order.derive_keys(step(number), places)
        assert place_keys[used].numpy().tolist() == keys.numpy().tolist()


@pytest.mark.parametrize("count", [1, 2, 3, 7, 64, 1000])
def test_shuffling_is_a_permutation_for_any_number_of_images(count):
    order = order_of(count=count, batch_size=count)

    indices = order.locate_batch(step(5))

    assert sorted(indices.numpy().tolist()) == list(range(count))


def test_shuffling_leaves_no_trace_of_the_order():
    order = order_of(count=1000, batch_size=1000)

    places = [order.locate_batch(step(epoch)).numpy() for epoch in range(50)]

    # The mean place of the first ten images over 50 epochs: 499.5 +- 13 a deviation.
    first = np.mean([[np.flatnonzero(p == i)[0] for i in range(10)] for p in places])
    assert abs(first - 499.5) < 52


def test_an_image_has_another_key_in_each_epoch_and_its_own_within_one():
    order = order_of(shuffle=False, batch_size=10)

    images = tf.range(10, dtype=tf.int64)
    first, second = (order.derive_keys(step(n), images).numpy() for n in (0, 1))

    assert len({*first.tolist(), *second.tolist()}) == 20


@pytest.mark.parametrize("start", [0, 1, 5])
def test_an_order_is_made_once_an_epoch(start, monkeypatch):
    made = []

    def shuffle(**arguments):
        made.append(arguments["epoch"])
        return shuffle_epoch(**arguments)

    monkeypatch.setattr("experiments.data.pipeline.order.shuffle_epoch", shuffle)
    steps = tf.data.Dataset.range(start, 12)  # of epochs of three

    followed = list(order_of().follow(steps))

    assert made == list(range(start // 3, 4))
    for number, sequence in followed:
        epoch = int(number) // 3
        expected = shuffle_epoch(count=10, seed=0, epoch=epoch)
        assert sequence.numpy().tolist() == expected.tolist()


def test_nothing_is_made_without_shuffling():
    steps = tf.data.Dataset.range(3)

    assert order_of(shuffle=False).follow(steps) is steps


@pytest.mark.parametrize("drop_remainder", [True, False])
@pytest.mark.parametrize("shuffle", [True, False])
def test_a_step_is_the_same_with_the_sequence_given(shuffle, drop_remainder):
    order = order_of(shuffle=shuffle, drop_remainder=drop_remainder)
    sequence = tf.constant(shuffle_epoch(count=10, seed=0, epoch=1))

    for number in range(order.steps_per_epoch, 2 * order.steps_per_epoch):
        given = order.locate_batch(step(number), sequence).numpy()
        assert given.tolist() == order.locate_batch(step(number)).numpy().tolist()
