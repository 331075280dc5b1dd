"""What comes before the first block."""

from typing import Any

import keras

from experiments.models.resnet.layers import LayerFactory
from experiments.models.resnet.names import LayerNames


def add_stem(
    x: Any, *, stem: str, width: int, layers: LayerFactory, names: LayerNames
) -> Any:
    """Adds a convolution, batch norm, activation and, except for `cifar`, pooling.

    Args:
        x: Images, (B, H, W, C).
        stem: `imagenet`, `cifar` or `notebook`.
        width: Number of filters.
        layers: Makes the layers.
        names: Names the layers.

    Returns:
        Activated maps: (B, H, W, width) from `cifar`, (B, ceil(H/4), ceil(W/4), width)
        from `imagenet` and a position less from `notebook`, whose pooling has no
        padding.
    """
    size, stride = (3, 1) if stem == "cifar" else (7, 2)
    x = layers.convolve(
        x, width, size=size, stride=stride, name=names.stem, place="conv1", seeded=True
    )
    x = layers.normalize_and_activate(x, names.stem, "conv1")
    if stem == "cifar":
        return x
    if stem == "imagenet":
        x = keras.layers.ZeroPadding2D(1, name=names.stem("pool1_pad"))(x)
    return keras.layers.MaxPooling2D(3, strides=2, name=names.stem("pool1_pool"))(x)
