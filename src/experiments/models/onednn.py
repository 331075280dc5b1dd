"""Convolutions that TensorFlow's CPU kernels, which are oneDNN's, compute wrong.

Reference:
    uxlfoundation/oneDNN issue 6035. Met with TensorFlow 2.21: with AVX2 gradients are
    wrong below 8 channels, with AVX-512 processes died below 16.
"""

from typing import Any

import keras

from experiments.models.cost import walk

# As many channels as a vector of AVX-512 holds, and more, are computed right.
NARROW = 16


def find_wrong_gradients(model: Any) -> list[str]:
    """Returns the names of the layers whose kernel gets a wrong gradient.

    Args:
        model: A built `keras.Model`, nested ones included.

    Returns:
        Its trainable, strided 1×1 convolutions of fewer than `NARROW` input channels;
        of groups Keras has XLA compute them, whose gradients are right.
    """
    return [
        layer.name
        for layer in walk(model)
        if isinstance(layer, keras.layers.Conv2D)
        and layer.trainable
        and layer.groups == 1
        and set(layer.kernel_size) == {1}
        and max(layer.strides) > 1
        and layer.kernel.shape[-2] < NARROW
    ]
