"""The project's residual network for small images, written out by hand."""

from typing import Any

import keras

BLOCKS = {
    18: (2, 2, 2, 2),
    34: (3, 4, 6, 3),
    50: (3, 4, 6, 3),
    101: (3, 4, 23, 3),
    152: (3, 8, 36, 3),
}


def build_resnet(
    depth: int,
    image_shape: tuple[int, int, int],
    *,
    width: int = 64,
    mean: float = 0.5,
    std: float = 0.5,
    classes: int = 10,
) -> Any:
    """Builds ResNet v1.5 with a 3 x 3 stem, from uint8 images to logits."""
    inputs = keras.Input(image_shape, dtype="uint8")
    x = keras.layers.Rescaling(1 / (255 * std), -mean / std)(inputs)
    x = _convolve(x, width, 3, 1)
    add_block = _add_basic if depth < 50 else _add_bottleneck
    for stage, count in enumerate(BLOCKS[depth]):
        for index in range(count):
            stride = 2 if stage > 0 and index == 0 else 1
            x = add_block(x, width * 2**stage, stride)
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, keras.layers.Dense(classes)(x))


def _add_basic(x: Any, filters: int, stride: int) -> Any:
    branch = _convolve(x, filters, 3, stride)
    branch = _convolve(branch, filters, 3, 1, activate=False, zero=True)
    return _join(x, branch, filters, stride)


def _add_bottleneck(x: Any, filters: int, stride: int) -> Any:
    branch = _convolve(x, filters, 1, 1)
    branch = _convolve(branch, filters, 3, stride)
    branch = _convolve(branch, 4 * filters, 1, 1, activate=False, zero=True)
    return _join(x, branch, 4 * filters, stride)


def _join(x: Any, branch: Any, filters: int, stride: int) -> Any:
    if stride != 1 or x.shape[-1] != filters:
        x = _convolve(x, filters, 1, stride, activate=False)
    return keras.layers.Activation("relu")(keras.layers.Add()([x, branch]))


def _convolve(
    x: Any,
    filters: int,
    size: int,
    stride: int,
    *,
    activate: bool = True,
    zero: bool = False,
) -> Any:
    pads = size > 1 and stride > 1
    if pads:
        x = keras.layers.ZeroPadding2D(size // 2)(x)
    x = keras.layers.Conv2D(
        filters,
        size,
        strides=stride,
        padding="valid" if pads else "same",
        use_bias=False,
        kernel_initializer=keras.initializers.VarianceScaling(
            2.0, "fan_out", "untruncated_normal"
        ),
    )(x)
    x = keras.layers.BatchNormalization(
        momentum=0.9, epsilon=1e-5, gamma_initializer="zeros" if zero else "ones"
    )(x)
    return keras.layers.Activation("relu")(x) if activate else x
