"""What `micro_batches` does, on JAX: a compiled function runs for each part.

Not one function with a loop: on a CPU XLA takes ten times as long for a convolution's
gradient inside a loop, and parts that are written out one after the other share no
memory there (https://github.com/jax-ml/jax/issues/12868).

Borrowed from Keras' trainer for JAX, beyond what it documents: `make_train_function` is
replaced in one model; `_make_function`, `compute_loss_and_updates`,
`_update_metrics_variables`, `_get_state_sharding_spec`, and the form of the state that
a step takes and returns.
"""

import functools
from collections.abc import Callable
from typing import Any

import keras
from keras import tree


def split_steps_on_jax(model: Any, *, micro_batch: int) -> None:
    """Lets a model train on its batches in parts, on JAX; see `split_steps`."""
    import jax

    def compile_wanted(function: Callable[..., Any], **options: Any) -> Any:
        wanted = model.jit_compile and not model.run_eagerly
        return jax.jit(function, **options) if wanted else function

    def make_train_function(force: bool = False) -> None:
        if model.train_function is not None and not force:
            return
        divide = compile_wanted(_divide, static_argnums=1)
        start = compile_wanted(_zeros_like)
        add = compile_wanted(_add_on_jax(model), donate_argnums=0)
        update = compile_wanted(
            _update_on_jax(model), donate_argnums=(0, 1), **_shardings(model)
        )

        def train_step(state: Any, data: Any) -> tuple[dict[str, Any], Any]:
            weights, others, optimizer, metrics = state
            carry = start(weights), list(others), list(metrics)
            for part in divide(data, micro_batch):
                share = _count(part) / _count(data)
                carry = add(carry, weights, optimizer, part, share)
            sums, others, metrics = carry
            return update(weights, optimizer, sums, others, metrics)

        model.train_function = model._make_function(train_step)

    model.make_train_function = make_train_function


def _divide(data: Any, micro_batch: int) -> list[Any]:
    """Returns the parts of a batch.

    Every so many images make a part: of a batch that devices share, each device then
    has its share of every part.
    """
    count = _count(data)
    whole = count // micro_batch

    def take(values: Any, number: int) -> Any:
        shape = (micro_batch, whole, *values.shape[1:])
        return values[: whole * micro_batch].reshape(shape)[:, number]

    parts = [
        _map(functools.partial(take, number=number), data) for number in range(whole)
    ]
    if count % micro_batch:
        parts.append(_map(lambda t: t[whole * micro_batch :], data))
    return parts


def _zeros_like(weights: Any) -> list[Any]:
    return [keras.ops.zeros_like(weight) for weight in weights]


def _add_on_jax(model: Any) -> Callable[..., Any]:
    import jax

    def compute_loss(
        weights: Any, others: Any, metrics: Any, optimizer: Any, part: Any, share: Any
    ) -> Any:
        images, labels, weighting = keras.utils.unpack_x_y_sample_weight(part)
        loss, updates = model.compute_loss_and_updates(
            weights,
            others,
            metrics,
            images,
            labels,
            weighting,
            training=True,
            optimizer_variables=optimizer,
        )
        return loss * share, updates

    differentiate = jax.grad(compute_loss, has_aux=True)

    def add(carry: Any, weights: Any, optimizer: Any, part: Any, share: Any) -> Any:
        sums, others, metrics = carry
        images, labels, weighting = keras.utils.unpack_x_y_sample_weight(part)
        gradients, (loss, outputs, others, metrics) = differentiate(
            weights, others, metrics, optimizer, part, share
        )
        _, metrics = model._update_metrics_variables(
            metrics, loss, images, labels, outputs, weighting
        )
        sums = [s + g for s, g in zip(sums, gradients, strict=True)]
        return sums, list(others), list(metrics)

    return add


def _update_on_jax(model: Any) -> Callable[..., Any]:
    def update(
        weights: Any, optimizer: Any, sums: Any, others: Any, metrics: Any
    ) -> tuple[dict[str, Any], Any]:
        weights, optimizer = model.optimizer.stateless_apply(optimizer, sums, weights)
        mapping = list(zip(model.metrics_variables, metrics, strict=True))
        with keras.StatelessScope(mapping):
            logs = model.get_metrics_result()
        return logs, (weights, others, optimizer, metrics)

    return update


def _shardings(model: Any) -> dict[str, Any]:
    """Returns how the state lies on the devices that share a batch, for `jax.jit`."""
    if keras.distribution.distribution() is None:
        return {}
    return {"out_shardings": (None, model._get_state_sharding_spec())}


def _count(data: Any) -> Any:
    """Returns how many images there are; `None` where only running it will tell."""
    return tree.flatten(data)[0].shape[0]


def _map(function: Callable[[Any], Any], data: Any) -> Any:
    return tree.map_structure(function, data)
