"""A small convolutional network."""

import keras


def build_small_net(
    *, input_shape: tuple[int, int, int], num_classes: int, width: int, blocks: int
) -> keras.Model:
    """Builds convolutions, each of which halves height and width.

    The first two arguments come from the data set, the others are the keys of
    `conf/model/small_net.yaml`.

    Args:
        input_shape: Height, width and channels of an image.
        num_classes: Number of classes.
        width: Filters of the first convolution; each block doubles them.
        blocks: Number of blocks.

    Returns:
        A network from normalised floats (B, H, W, C) to logits (B, num_classes).
    """
    inputs = keras.Input(input_shape)
    x = inputs
    for block in range(blocks):
        filters = width * 2**block
        x = keras.layers.Conv2D(filters, 3, 2, padding="same", use_bias=False)(x)
        x = keras.layers.BatchNormalization(momentum=0.9)(x)
        x = keras.layers.Activation("relu")(x)
    x = keras.layers.GlobalMaxPooling2D()(x)
    # float32 under every precision: logits lose too much in half precision.
    outputs = keras.layers.Dense(num_classes, dtype="float32")(x)
    return keras.Model(inputs, outputs, name="small_net")
