"""A small network in the manner of MobileNet."""

from typing import Any

import keras


def build_my_net(
    *, input_shape: tuple[int, int, int], num_classes: int, width: int, blocks: int
) -> keras.Model:
    """Builds depthwise separable convolutions, each followed by batch norm.

    The first two arguments come from the data set, the others are the keys of
    `conf/model/my_net.yaml`.

    Args:
        input_shape: Height, width and channels of an image.
        num_classes: Number of classes.
        width: Filters of the first convolution; each block doubles them.
        blocks: Number of blocks; each halves height and width.

    Returns:
        A network from normalised floats (B, H, W, C) to logits (B, num_classes).

    Reference:
        Howard et al., MobileNets, arXiv:1704.04861, section 3.1.
    """
    inputs = keras.Input(input_shape)
    x = keras.layers.Conv2D(width, 3, padding="same", use_bias=False)(inputs)
    x = _normalise_and_activate(x)  # (B, H, W, width)
    for block in range(1, blocks + 1):
        x = keras.layers.DepthwiseConv2D(3, 2, padding="same", use_bias=False)(x)
        x = _normalise_and_activate(x)
        x = keras.layers.Conv2D(width * 2**block, 1, use_bias=False)(x)
        x = _normalise_and_activate(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    # float32 under every precision: logits lose too much in half precision.
    outputs = keras.layers.Dense(num_classes, dtype="float32")(x)
    return keras.Model(inputs, outputs, name="my_net")


def _normalise_and_activate(x: Any) -> Any:
    x = keras.layers.BatchNormalization(momentum=0.9)(x)
    return keras.layers.Activation("relu")(x)
