"""Training steps that send their batch through the network in parts.

Less memory for the same step: only one part's activations are there at a time, and the
gradients add up to those of the whole batch. The weights change once, at the end, so
that whatever counts steps counts updates: schedules, moving averages, Adam's bias
correction, decay, clipping, limits and callbacks. Keras' own way, the optimizer's
`gradient_accumulation_steps`, makes each part a step of its own, by which it asks the
schedule and moves the averages.

Borrowed from Keras' trainer, beyond what it documents: `train_step` is replaced in one
model, which leaves its class, and with it what is saved, Keras' own; and
`_loss_tracker`. What JAX's trainer lends is told in `jax_micro_batches`.
"""

from collections.abc import Callable
from typing import Any

import keras
from keras import tree

from experiments.training.loop.jax_micro_batches import split_steps_on_jax


def split_steps(model: Any, *, micro_batch: int) -> None:
    """Lets a model train on its batches in parts.

    Each has `micro_batch` images, the last one what is left. Batch norm sees a part;
    everything else sees the batch.

    Args:
        model: A compiled `keras.Model` of one loss, a mean over the batch.
        micro_batch: Images that go through the network at a time, over all devices
            together.
    """
    if keras.backend.backend() == "jax":
        split_steps_on_jax(model, micro_batch=micro_batch)
    else:
        model.train_step = _split_on_tensorflow(model, micro_batch)


def _split_on_tensorflow(model: Any, micro_batch: int) -> Callable[[Any], Any]:
    import tensorflow as tf

    replicas = model.distribute_strategy.num_replicas_in_sync
    most = -(-micro_batch // replicas)  # of the images that a replica is given

    def train_step(data: Any) -> dict[str, Any]:
        weights = model.trainable_weights
        count = _count(data)
        if count is None:
            count = tf.shape(tree.flatten(data)[0])[0]
        whole = count // most
        # XLA takes no parts whose size changes from one round of a loop to the next.
        # Every so many images make a part, as on JAX: batch norm sees the same ones.
        parts = _map(
            lambda t: tf.reshape(t[: whole * most], (most, whole, *t.shape[1:])), data
        )

        def add(sums: Any, part: Any) -> list[Any]:
            gradients = _differentiate(model, part, count, replicas)
            return [s + g for s, g in zip(sums, gradients, strict=True)]

        def add_next(number: Any, sums: Any) -> Any:
            return number + 1, add(sums, _map(lambda t: t[:, number], parts))

        _, sums = tf.while_loop(
            lambda number, _: number < whole,
            add_next,
            (0, [tf.zeros(weight.shape, weight.dtype) for weight in weights]),
            parallel_iterations=1,
        )
        with tf.control_dependencies(sums):  # one at a time, also the last one
            rest = _map(lambda t: tf.identity(t[whole * most :]), data)
        if not isinstance(count, int):
            sums = tf.cond(count % most > 0, lambda: add(sums, rest), lambda: sums)
        elif count % most:
            sums = add(sums, rest)
        model.optimizer.apply_gradients(zip(sums, weights, strict=True))
        return model.get_metrics_result()

    return train_step


def _differentiate(model: Any, part: Any, count: Any, replicas: int) -> list[Any]:
    """Returns what a part adds to the gradients of `count` images' mean loss."""
    import tensorflow as tf

    images, labels, weighting = keras.utils.unpack_x_y_sample_weight(part)
    size = tf.shape(tree.flatten(images)[0])[0]
    with tf.GradientTape() as tape:
        outputs = model(images, training=True)
        loss = model.compute_loss(images, labels, outputs, weighting, training=True)
        share = tf.cast(size, loss.dtype) / tf.cast(count, loss.dtype)
        scaled = model.optimizer.scale_loss(loss * share)
    # A replica's loss is its share of the mean over all of them.
    model._loss_tracker.update_state(loss * replicas, sample_weight=size)
    model.compute_metrics(images, labels, outputs, weighting)
    gradients: list[Any] = tape.gradient(
        scaled,
        model.trainable_weights,
        unconnected_gradients=tf.UnconnectedGradients.ZERO,
    )
    return gradients


def _count(data: Any) -> Any:
    """Returns how many images there are; `None` where only running it will tell."""
    return tree.flatten(data)[0].shape[0]


def _map(function: Callable[[Any], Any], data: Any) -> Any:
    return tree.map_structure(function, data)
