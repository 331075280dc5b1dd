"""Anti-aliased downsampling."""

from typing import Any

import keras

from experiments.models.resnet.layers import Namer


def blur(x: Any, name: Namer, place: str) -> Any:
    """Keeps every second position of maps, blurred by the binomial kernel 1, 2, 1.

    The kernel is two averages of two positions after one another, so that there are no
    weights that training, freezing or weight decay could reach.

    Args:
        x: Maps, (B, H, W, C).
        name: Gives the layers' names.
        place: What their names begin with.

    Returns:
        Maps, (B, ceil(H / 2), ceil(W / 2), C).

    Reference:
        Making Convolutional Networks Shift-Invariant Again, arXiv:1904.11486: Tri-3,
        mirrored at the edges as in the author's code.
    """
    mirrored = "reflect" if min(x.shape[1:3]) > 1 else "symmetric"  # of one: itself
    x = keras.ops.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), mirrored)
    x = keras.layers.AveragePooling2D(2, strides=1, name=name(f"{place}_blur1"))(x)
    return keras.layers.AveragePooling2D(2, strides=2, name=name(f"{place}_blur2"))(x)
