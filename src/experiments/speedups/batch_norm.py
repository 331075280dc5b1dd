"""Batch norm of Keras' own layers, with fewer passes over the maps.

Keras computes a batch's mean first and its variance in a second pass. TensorFlow has
the whole layer as one operation, also for the gradient; XLA makes one pass of both sums
when the variance is written as a difference of means. Networks stay made of Keras'
class: what is saved is the same, and a copy of a layer computes as Keras does.
"""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from experiments.models.cost import walk

# Layer and maps (B, H, W, C) -> normalised maps, mean (C,) and variance (C,).
Normalize = Callable[[Any, Any], tuple[Any, Any, Any]]

_HALF = ("float16", "bfloat16")


def fuse_batch_norms(model: Any, *, jit: bool) -> list[str]:
    """Lets the batch norms of a model train with fewer passes over their maps.

    Those that normalise over the last axis of maps (B, H, W, C), in float32 or, with
    XLA, in half precision; neither renormalising nor synchronised. Inference, frozen
    layers and masked maps stay Keras'.

    Args:
        model: A built `keras.Model`, nested ones included.
        jit: Whether XLA compiles the training step.

    Returns:
        The names of these layers.
    """
    if keras.backend.backend() == "jax" or jit:
        normalize: Normalize = _normalize_in_one_pass
    else:
        normalize = _normalize_by_one_operation
    layers = [layer for layer in walk(model) if _is_plain(layer, jit)]
    for layer in layers:
        layer.call = _train_by(normalize, layer)
    return [layer.name for layer in layers]


def _is_plain(layer: Any, jit: bool) -> bool:
    return (
        type(layer) is keras.layers.BatchNormalization
        and layer.input_spec.ndim == 4
        and layer.axis in (-1, 3)
        and not layer.renorm
        and not layer.synchronized
        and layer.compute_dtype in ("float32", *(_HALF if jit else ()))
    )


def _train_by(normalize: Normalize, layer: Any) -> Callable[..., Any]:
    plain = layer.call

    def call(inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        if not (training and layer.trainable) or mask is not None:
            return plain(inputs, training=training, mask=mask)
        outputs, mean, variance = normalize(layer, inputs)
        kept = layer.momentum
        for average, value in (
            (layer.moving_mean, mean),
            (layer.moving_variance, variance),
        ):
            average.assign(average * kept + value * (1.0 - kept))
        return ops.cast(outputs, layer.compute_dtype)

    return call


def _normalize_in_one_pass(layer: Any, maps: Any) -> tuple[Any, Any, Any]:
    """Subtracts a number near the mean first, so that the difference of means is exact.

    That number is the mean of one position over the batch: it costs no pass, and is
    near from the first step on, wherever the moving mean still is. The position lies
    inside the maps, where no padding alters it. The relative error of the variance
    grows with the square of its distance in deviations, which is at most the number of
    positions.

    Reference:
        Chan, Golub, LeVeque, Algorithms for Computing the Sample Variance, 1983.
    """
    maps = ops.cast(maps, "float32")
    _, height, width, _ = ops.shape(maps)
    shift = ops.stop_gradient(ops.mean(maps[:, height // 2, width // 2], axis=0))
    centred = maps - shift
    axes = (0, 1, 2)
    rest = ops.mean(centred, axes)
    variance = ops.mean(ops.square(centred), axes) - ops.square(rest)
    variance = ops.maximum(variance, 0.0)  # a constant map's may round below
    outputs = ops.batch_normalization(
        centred,
        rest,
        variance,
        axis=-1,
        offset=layer.beta,
        scale=layer.gamma,
        epsilon=layer.epsilon,
    )
    return outputs, rest + shift, variance


def _normalize_by_one_operation(layer: Any, maps: Any) -> tuple[Any, Any, Any]:
    import tensorflow as tf

    channels = maps.shape[-1]
    outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
        x=maps,
        scale=tf.ones(channels) if layer.gamma is None else layer.gamma.value,
        offset=tf.zeros(channels) if layer.beta is None else layer.beta.value,
        mean=tf.zeros(0),
        variance=tf.zeros(0),
        epsilon=layer.epsilon,
    )
    # It gives the sample's variance, Keras keeps the population's.
    count = tf.cast(tf.size(maps) // channels, tf.float32)
    return outputs, mean, variance * ((count - 1) / count)
