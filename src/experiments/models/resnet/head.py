"""What comes after the last block."""

from typing import Any

import keras

from experiments.models.resnet.layers import make_initializer
from experiments.models.resnet.names import LayerNames


def add_head(
    x: Any,
    *,
    head: str,
    num_classes: int,
    dropout: float,
    initializer: str,
    names: LayerNames,
) -> Any:
    """Adds pooling, dropout and the dense layer.

    Args:
        x: Maps, (B, H, W, C).
        head: `average`, `max` or `notebook`.
        num_classes: Number of classes.
        dropout: Rate in [0, 1); no layer at 0.
        initializer: The network's; only `notebook` concerns the dense layer.
        names: Names the layers.

    Returns:
        float32 (B, num_classes): logits, from `notebook` probabilities.
    """
    x = _pool(x, head, names)
    if dropout:
        x = keras.layers.Dropout(dropout, name=names.head("dropout"))(x)
    kernel = "notebook" if initializer == "notebook" else "glorot_uniform"
    return keras.layers.Dense(
        num_classes,
        activation="softmax" if head == "notebook" else None,
        kernel_initializer=make_initializer(kernel, seeded=True),
        dtype="float32",  # logits lose too much in half precision
        name=names.head("dense"),
    )(x)


def _pool(x: Any, head: str, names: LayerNames) -> Any:
    name = names.head("pool")
    if head == "notebook":
        x = keras.layers.AveragePooling2D(2, name=name)(x)
        return keras.layers.Flatten(name=names.head("flatten"))(x)
    if head == "max":
        return keras.layers.GlobalMaxPooling2D(name=name)(x)
    return keras.layers.GlobalAveragePooling2D(name=name)(x)
