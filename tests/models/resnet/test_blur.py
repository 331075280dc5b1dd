import keras
import numpy as np
import pytest

from experiments.models.resnet.blur import blur

BINOMIAL = np.array([1, 2, 1]) / 4


def blur_by_hand(maps):
    """Convolves each map with the outer product of 1, 2, 1, mirrored at the edges."""
    kernel = np.outer(BINOMIAL, BINOMIAL)
    mode = "reflect" if min(maps.shape[1:3]) > 1 else "edge"
    padded = np.pad(maps, ((0, 0), (1, 1), (1, 1), (0, 0)), mode)
    height, width = maps.shape[1:3]
    full = sum(
        kernel[i, j] * padded[:, i : i + height, j : j + width]
        for i in range(3)
        for j in range(3)
    )
    return full[:, ::2, ::2]


def build(shape):
    inputs = keras.Input(shape)
    return keras.Model(inputs, blur(inputs, lambda part: part, "1"))


@pytest.mark.parametrize("size", [(8, 8), (7, 5), (2, 3), (1, 1), (1, 4)])
def test_every_second_position_of_the_blurred_maps_is_kept(size):
    maps = np.random.default_rng(0).normal(size=(2, *size, 3)).astype("float32")
    expected = blur_by_hand(maps)
    np.testing.assert_allclose(build((*size, 3))(maps), expected, atol=1e-6)


def test_a_blur_has_no_weights_and_keeps_what_is_constant():
    network = build((6, 6, 2))
    assert network.weights == []
    np.testing.assert_allclose(network(np.full((1, 6, 6, 2), 3.0)), 3)


def test_a_chequered_map_gets_grey_wherever_it_begins():
    chequered = np.indices((8, 8)).sum(0)[None, ..., None] % 2
    network = build((8, 8, 1))
    for maps in (chequered, 1 - chequered):
        np.testing.assert_allclose(network(maps.astype("float32")), 0.5)
