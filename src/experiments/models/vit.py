"""Vision transformers of any depth and width."""

from typing import Any

import keras
from keras import ops

from experiments.errors import ConfigError, Problem

HEAD = "predictions"
_SPREAD = 0.02
_EPSILON = 1e-6


def build_vit(
    *,
    input_shape: tuple[int, int, int],
    num_classes: int,
    patch_size: int,
    width: int,
    depth: int,
    heads: int,
    mlp_ratio: float,
    pooling: str,
    dropout: float,
    stochastic_depth: float,
) -> keras.Model:
    """Builds a vision transformer from Keras' own layers.

    An image is cut into patches, which a convolution makes vectors of; each gets a
    learnt vector of its place. Blocks of attention and of two dense layers follow, each
    behind a normalisation and with a shortcut around it.

    Args:
        input_shape: Height, width and channels of an image; sides are multiples of
            `patch_size`.
        num_classes: Number of classes.
        patch_size: Height and width of a patch, in pixels.
        width: Numbers in each vector.
        depth: Number of blocks.
        heads: Parts of a vector that attend separately; divides `width`.
        mlp_ratio: Units of a block's first dense layer, in units of `width`.
        pooling: `class_token`: what a learnt vector beside the patches has become;
            `average`: the mean of the patches, in the place of that vector.
        dropout: Rate before the last dense layer, in [0, 1); no layer at 0.
        stochastic_depth: How often training leaves a sample out of the last block's
            branches, in [0, 1); in the blocks before it evenly less.

    Returns:
        A network from prepared floats (B, H, W, C) to float32 logits (B, num_classes).

    Raises:
        ConfigError: Patches do not cover the image, or heads do not divide `width`.

    Reference:
        Dosovitskiy et al., An Image is Worth 16x16 Words, arXiv:2010.11929, section 3
        and table 1; Touvron et al., DeiT, arXiv:2012.12877, table 1 for Tiny and Small.
        `average` is of Beyer, Zhai, Kolesnikov, arXiv:2205.01580. Deviation: kernels
        begin at a deviation of 0.02 as in DeiT, those of patch and class as Keras'.
    """
    if any(side % patch_size for side in input_shape[:2]) or width % heads:
        reason = (
            f"must divide images of {input_shape[0]} x {input_shape[1]} pixels, and "
            f"model.heads={heads} must divide model.width={width}. "
            f"Received: {patch_size}."
        )
        raise ConfigError([Problem("model.patch_size", reason)])
    inputs = keras.Input(input_shape)
    x = keras.layers.Conv2D(
        width, patch_size, strides=patch_size, name="patch_embedding"
    )(inputs)
    grid = x.shape[1:3]
    x = keras.layers.Reshape((-1, width), name="patches")(x)  # (B, patches, width)
    ones = ops.ones_like(x[:, 0, :1])  # (B, 1): learnt vectors are its products
    if pooling == "class_token":
        token = _learn(ones, (1, width), "zeros", "class_token")
        x = keras.layers.Concatenate(axis=1, name="tokens")([token, x])
    positions = _learn(ones, x.shape[1:], _normal(), "positions")
    x = keras.layers.Add(name="tokens_with_positions")([x, positions])
    for number in range(1, depth + 1):
        rate = stochastic_depth * number / depth
        name = f"block{number}"
        x = _shortcut(x, _attend(x, heads, name), rate, f"{name}_attention")
        x = _shortcut(x, _transform(x, mlp_ratio, name), rate, f"{name}_mlp")
    if pooling == "average":  # of maps, so that each place's part in it is known
        x = keras.layers.Reshape((*grid, width), name="maps")(x)
        x = _normalize(x, "norm")
        x = keras.layers.GlobalAveragePooling2D(name="average_pool")(x)
    else:
        x = _normalize(x, "norm")[:, 0]  # (B, width)
    if dropout:
        x = keras.layers.Dropout(dropout, name="top_dropout")(x)
    outputs = keras.layers.Dense(num_classes, dtype="float32", name=HEAD)(x)
    return keras.Model(inputs, outputs, name="vit")


def _attend(x: Any, heads: int, name: str) -> Any:
    x = _normalize(x, f"{name}_norm1")
    width = x.shape[-1]
    return keras.layers.MultiHeadAttention(
        heads, width // heads, kernel_initializer=_normal(), name=f"{name}_attention"
    )(x, x)


def _transform(x: Any, ratio: float, name: str) -> Any:
    width = x.shape[-1]
    x = _normalize(x, f"{name}_norm2")
    for number, units in ((1, round(ratio * width)), (2, width)):
        x = keras.layers.Dense(
            units,
            activation="gelu" if number == 1 else None,
            kernel_initializer=_normal(),
            name=f"{name}_mlp{number}",
        )(x)
    return x


def _shortcut(x: Any, branch: Any, rate: float, name: str) -> Any:
    if rate:
        drop = keras.layers.Dropout(rate, noise_shape=(None, 1, 1), name=f"{name}_drop")
        branch = drop(branch)
    return keras.layers.Add(name=f"{name}_add")([x, branch])


def _normalize(x: Any, name: str) -> Any:
    return keras.layers.LayerNormalization(epsilon=_EPSILON, name=name)(x)


def _learn(ones: Any, shape: tuple[int, ...], initializer: Any, name: str) -> Any:
    """Returns learnt vectors, the same for each sample: (B, *shape)."""
    return keras.layers.EinsumDense(
        "ab,bcd->acd", shape, kernel_initializer=initializer, name=name
    )(ones)


def _normal() -> Any:
    """Returns a new initialiser: Keras repeats the numbers of one used twice."""
    return keras.initializers.RandomNormal(stddev=_SPREAD)
