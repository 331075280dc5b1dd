"""What attention costs, and products with learnt arrays, estimated from the layer."""

import math
from typing import Any

import keras


def is_attention(operation: Any) -> bool:
    """Tells whether a layer is Keras' attention of several heads."""
    return isinstance(operation, keras.layers.MultiHeadAttention)


def count_attention_flops(layer: Any) -> int:
    """Returns the FLOPs of a `MultiHeadAttention` for a sample.

    Args:
        layer: Called on vectors (B, queries, width) and (B, keys, width).

    Returns:
        Of projecting queries, keys, values and the result, of the weights of each pair,
        and of the values that these add up.
    """
    queries, keys = _count_vectors(layer)
    kernels = [math.prod(w.shape) for w in layer.weights if w.name == "kernel"]
    query, key, value, result = kernels
    pairs = queries * keys * layer.num_heads * (layer.key_dim + layer.value_dim)
    return 2 * (queries * (query + result) + keys * (key + value) + pairs)


def count_attention_elements(layer: Any) -> int:
    """Returns how many numbers it keeps beside its output: projections and weights."""
    queries, keys = _count_vectors(layer)
    projected = (queries + keys) * (layer.key_dim + layer.value_dim)
    return int(layer.num_heads * (projected + 2 * queries * keys))


def count_product_flops(layer: Any) -> int:
    """Returns the FLOPs of an `EinsumDense` for a sample: all indices of its sum."""
    _, kernel, output = layer.equation.replace("->", ",").split(",")
    sizes = dict(zip(kernel, layer.kernel.shape, strict=True))
    sizes |= dict(zip(output[1:], layer.output.shape[1:], strict=True))
    return 2 * math.prod(sizes.values())


def _count_vectors(layer: Any) -> tuple[int, int]:
    shapes = [tensor.shape for tensor in keras.tree.flatten(layer.input)]
    return shapes[0][1], shapes[min(1, len(shapes) - 1)][1]
