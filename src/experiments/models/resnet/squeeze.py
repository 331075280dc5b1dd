"""Squeeze and excitation: a weight for each map, from the means of all of them."""

from typing import Any

import keras

from experiments.models.resnet.layers import LayerFactory, Namer


def squeeze_and_excite(
    x: Any, reduction: int, layers: LayerFactory, name: Namer
) -> Any:
    """Multiplies each map by a number between 0 and 1.

    Args:
        x: Maps, (B, H, W, C).
        reduction: `C // reduction` numbers, at least one, lie in between.
        layers: Makes activation and initialisers.
        name: Gives the layers' names.

    Returns:
        Maps of the same shape.

    Reference:
        Squeeze-and-Excitation Networks, arXiv:1709.01507, section 3; the branch's end
        is the standard place, Figure 3. The two dense layers are 1 x 1 convolutions
        here, as in torchvision and timm: the same numbers.
    """
    maps = x.shape[-1]
    means = keras.layers.GlobalAveragePooling2D(keepdims=True, name=name("se_squeeze"))
    weights = means(x)  # (B, 1, 1, C)
    weights = layers.mix(weights, max(maps // reduction, 1), name("se_reduce"))
    weights = layers.activate(weights, name("se_relu"))
    weights = layers.mix(weights, maps, name("se_expand"))
    weights = keras.layers.Activation("sigmoid", name=name("se_gate"))(weights)
    return keras.layers.Multiply(name=name("se_excite"))([x, weights])
