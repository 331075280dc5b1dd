"""Convolutions that give small maps, as one product of matrices.

TensorFlow's CPU kernels arrange a convolution's weights anew in each of its three
passes, which is most of the work where few positions use them, and some shapes fall
back to a product for each image. Layers stay Keras' own: what is saved is the same,
and a copy of a layer computes as Keras does.

Reference:
    Chellapilla, Puri, Simard, High Performance Convolutional Neural Networks for
    Document Processing, 2006. The limits are measured by `benchmarks/convolutions.py`.
"""

import math
from collections.abc import Callable
from typing import Any

import keras

from experiments.models.cost import walk

# Smaller kernels are arranged in no time.
MANY_WEIGHTS = 2**16
# Positions up to which the product is the faster one with a larger kernel,
FEW_POSITIONS = 9
# and up to which it is with so many channels on both sides.
SOME_POSITIONS = 16
MANY_CHANNELS = 512


def lower_convolutions(model: Any) -> list[str]:
    """Lets the convolutions of a model that give small maps be products of matrices.

    Args:
        model: A built `keras.Model` for TensorFlow, nested ones included.

    Returns:
        The names of the layers that decide by the maps they are called with:
        convolutions in float32 over (B, H, W, C), neither grouped nor dilated.
    """
    layers = [layer for layer in walk(model) if _is_plain(layer)]
    for layer in layers:
        layer.convolution_op = _convolve_by(layer)
    return [layer.name for layer in layers]


def is_faster(kernel: tuple[int, ...], positions: int) -> bool:
    """Decides whether the product is the faster way.

    Args:
        kernel: Shape (h, w, channels, filters).
        positions: Of the map that the convolution gives.
    """
    if math.prod(kernel) < MANY_WEIGHTS:
        return False
    if min(kernel[2:]) >= MANY_CHANNELS:
        return positions <= SOME_POSITIONS
    return positions <= FEW_POSITIONS


def multiply(layer: Any, maps: Any, kernel: Any) -> Any:
    """Computes a convolution as one product of matrices.

    Args:
        layer: A `keras.layers.Conv2D`.
        maps: (B, H, W, C), of known size.
        kernel: (h, w, C, filters).

    Returns:
        What `layer.convolution_op` does, (B, H', W', filters).
    """
    import tensorflow as tf

    if set(layer.kernel_size) == {1}:
        down, across = layer.strides
        patches = maps if down == across == 1 else maps[:, ::down, ::across]
    else:
        patches = tf.image.extract_patches(
            maps,
            sizes=(1, *layer.kernel_size, 1),
            strides=(1, *layer.strides, 1),
            rates=(1, 1, 1, 1),
            padding=layer.padding.upper(),
        )
    height, width, values = patches.shape[1:]
    filters = kernel.shape[3]
    rows = tf.reshape(patches, (-1, values))
    weights = tf.reshape(tf.convert_to_tensor(kernel), (values, filters))
    return tf.reshape(tf.matmul(rows, weights), (-1, height, width, filters))


def _is_plain(layer: Any) -> bool:
    return (
        type(layer) is keras.layers.Conv2D
        and layer.data_format == "channels_last"
        and layer.groups == 1
        and set(layer.dilation_rate) == {1}
        and layer.compute_dtype == "float32"
    )


def _convolve_by(layer: Any) -> Callable[[Any, Any], Any]:
    plain = layer.convolution_op

    def convolve(maps: Any, kernel: Any) -> Any:
        size = layer.compute_output_shape(maps.shape)[1:3]
        if None in size or not is_faster(kernel.shape, math.prod(size)):
            return plain(maps, kernel)
        return multiply(layer, maps, kernel)

    return convolve
