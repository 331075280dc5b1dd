"""What comes before the first block."""

from typing import Any

import keras

from experiments.models.resnet.blur import blur
from experiments.models.resnet.layers import LayerFactory
from experiments.models.resnet.names import LayerNames


def add_stem(
    x: Any,
    *,
    stem: str,
    width: int,
    layers: LayerFactory,
    names: LayerNames,
    blurs: bool,
) -> Any:
    """Adds convolution, batch norm, activation and, except for `cifar`, pooling.

    Args:
        x: Images, (B, H, W, C).
        stem: `imagenet`, `deep`, `cifar` or `notebook`.
        width: Number of filters; the first two of the three convolutions of `deep` have
            half as many.
        layers: Makes the layers.
        names: Names the layers.
        blurs: Whether the pooling takes the maximum at every position and leaves its
            stride to a blur.

    Returns:
        Activated maps: (B, H, W, width) from `cifar`, (B, ceil(H/4), ceil(W/4), width)
        from `imagenet` and `deep` and a position less from `notebook`, whose pooling
        has no padding.

    Reference:
        `deep`: Bag of Tricks for Image Classification, arXiv:1812.01187, Figure 2b.
    """
    stride = 1 if stem == "cifar" else 2
    if stem == "deep":
        for place in ("conv1_1", "conv1_2"):
            x = _convolve(x, max(width // 2, 1), 3, stride, layers, names, place)
            stride = 1
    size = 3 if stem in ("cifar", "deep") else 7
    x = _convolve(x, width, size, stride, layers, names, "conv1")
    if stem == "cifar":
        return x
    if stem != "notebook":
        x = keras.layers.ZeroPadding2D(1, name=names.stem("pool1_pad"))(x)
    stride = 1 if blurs else 2
    x = keras.layers.MaxPooling2D(3, strides=stride, name=names.stem("pool1_pool"))(x)
    return blur(x, names.stem, "pool1") if blurs else x


def _convolve(
    x: Any,
    filters: int,
    size: int,
    stride: int,
    layers: LayerFactory,
    names: LayerNames,
    place: str,
) -> Any:
    """Adds a convolution, batch norm and activation."""
    x = layers.convolve(
        x,
        filters,
        size=size,
        stride=stride,
        name=names.stem,
        place=place,
        seeded=True,
    )
    return layers.normalize_and_activate(x, names.stem, place)
