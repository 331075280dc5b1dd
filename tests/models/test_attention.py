"""Counted by hand, and against what torchvision publishes."""

import keras
import pytest

from experiments.models.attention import (
    count_attention_elements,
    count_attention_flops,
    count_product_flops,
    is_attention,
)
from experiments.models.cost import measure_cost
from experiments.models.vit import build_vit


def test_attention_is_counted_as_by_hand() -> None:
    queries, keys = keras.Input((3, 8)), keras.Input((5, 8))
    layer = keras.layers.MultiHeadAttention(2, 4)
    layer(queries, keys)
    assert is_attention(layer)
    projections = 3 * 8 * 8 + 2 * 5 * 8 * 8 + 3 * 8 * 8
    pairs = 2 * (3 * 5 * 8)
    assert count_attention_flops(layer) == 2 * (projections + pairs)
    # query, key, value and the result of 8 numbers each; weights of two heads, twice
    assert count_attention_elements(layer) == 8 * (3 + 5 + 5 + 3) + 2 * 2 * 15


def test_product_is_counted_over_all_its_indices() -> None:
    layer = keras.layers.EinsumDense("ab,bcd->acd", (4, 6))
    layer(keras.Input((3,)))
    assert count_product_flops(layer) == 2 * 3 * 4 * 6


@pytest.mark.slow
def test_flops_of_vit_b_16_equal_torchvisions() -> None:
    """17.564 GMAC, its `_ops`; here positions are one product more."""
    network = build_vit(
        input_shape=(224, 224, 3),
        num_classes=1000,
        patch_size=16,
        width=768,
        depth=12,
        heads=12,
        mlp_ratio=4.0,
        pooling="class_token",
        dropout=0.0,
        stochastic_depth=0.0,
    )
    cost = measure_cost(network, batch_size=1, precision="float32")
    assert cost.flops_per_image / 2e9 == pytest.approx(17.564, abs=1e-3)
    assert cost.uncounted_layers == ()
