"""Grouped convolutions on CPUs, by a convolution for each group.

TensorFlow's CPU kernels know no groups, so Keras has XLA compile such a layer. Its
gradients take a hundred times as long as those of the groups one by one: 1.5 s of CPU
for 8 images of 16 × 16 × 128 in 32 groups, against 0.015 s. Layers stay Keras' own.
"""

from collections.abc import Callable
from typing import Any

import keras

from experiments.models.cost import walk


def divide_groups(model: Any) -> list[str]:
    """Lets the grouped convolutions of a model compute their groups one by one.

    Args:
        model: A built `keras.Model` for TensorFlow, nested ones included.

    Returns:
        The names of these layers: over (B, H, W, C), not dilated. Strided 1 × 1 ones
        stay Keras', see `experiments.models.onednn`.
    """
    layers = [layer for layer in walk(model) if _is_grouped(layer)]
    for layer in layers:
        layer.convolution_op = _convolve_by(layer)
    return [layer.name for layer in layers]


def _is_grouped(layer: Any) -> bool:
    return (
        type(layer) is keras.layers.Conv2D
        and layer.groups > 1
        and layer.data_format == "channels_last"
        and set(layer.dilation_rate) == {1}
        and not (set(layer.kernel_size) == {1} and max(layer.strides) > 1)
    )


def _convolve_by(layer: Any) -> Callable[[Any, Any], Any]:
    def convolve(maps: Any, kernel: Any) -> Any:
        import tensorflow as tf

        strides, padding = (1, *layer.strides, 1), layer.padding.upper()
        kernel = tf.convert_to_tensor(kernel)
        if kernel.shape[2] == 1:  # a group of one map: a depthwise convolution
            shape = (*layer.kernel_size, layer.groups, -1)
            kernel = tf.reshape(kernel, shape)
            return tf.nn.depthwise_conv2d(maps, kernel, strides, padding)
        parts = zip(
            tf.split(maps, layer.groups, axis=-1),
            tf.split(kernel, layer.groups, axis=-1),
            strict=True,
        )
        groups = [tf.nn.conv2d(m, k, strides, padding) for m, k in parts]
        return tf.concat(groups, axis=-1)

    return convolve
