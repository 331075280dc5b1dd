import keras
import numpy as np
import pytest
import tensorflow as tf

from experiments.models.resnet.layers import drop_branch
from tests.models.conftest import build_option, relative_error

SIDE, STRIDE, FILTERS = 32, 2, 16


def compute_kernel_gradient(network, images, upstream):
    """Returns what a training step would, in a graph: eager kernels are others."""

    @tf.function(autograph=False)
    def compute(images, upstream):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(network(images, training=True) * upstream)
        return tape.gradient(loss, network.trainable_weights[0].value)

    return compute(tf.constant(images), tf.constant(upstream)).numpy()


@pytest.mark.parametrize("maps", [3, 4, 6, 8, 12, 16])
def test_gradient_of_a_strided_1x1_convolution_is_right(layers, maps):
    inputs = keras.Input((SIDE, SIDE, maps))
    outputs = layers.convolve(
        inputs,
        FILTERS,
        size=1,
        stride=STRIDE,
        name=lambda part: part,
        place="0",
        seeded=False,
    )
    rng = np.random.default_rng(0)
    images = rng.normal(size=(32, SIDE, SIDE, maps)).astype("float32")
    upstream = rng.normal(size=(32, *outputs.shape[1:])).astype("float32")

    found = compute_kernel_gradient(keras.Model(inputs, outputs), images, upstream)

    seen = images[:, ::STRIDE, ::STRIDE].astype("float64")
    expected = np.einsum("bhwi,bhwo->io", seen, upstream)
    assert relative_error(found[0, 0], expected) < 1e-4


@pytest.mark.parametrize("block", ["basic", "bottleneck"])
@pytest.mark.parametrize("variant", ["v1", "v1_5", "v2"])
@pytest.mark.parametrize("shortcut", ["B", "C"])
def test_no_narrow_1x1_convolution_of_a_network_has_a_stride(block, variant, shortcut):
    network = build_option(
        "resnet",
        "depth=null",
        "blocks=[1,1,1]",
        "width=2",
        f"block={block}",
        f"variant={variant}",
        f"shortcut={shortcut}",
    )
    strided = [
        layer.input.shape[-1]
        for layer in network.layers
        if isinstance(layer, keras.layers.Conv2D)
        and layer.kernel_size == (1, 1)
        and layer.strides != (1, 1)
    ]
    assert min(strided, default=16) >= 16
    assert network.output_shape == (None, 10)
    assert network.get_layer("conv4_block1_out" if variant != "v2" else "post_relu")


def convolve_groups_by_hand(maps, kernel, groups):
    """Convolves each group of maps with its own filters, as ResNeXt's Figure 3c."""
    padded = np.pad(maps, ((0, 0), (1, 1), (1, 1), (0, 0)))
    height, width = maps.shape[1:3]
    outputs = []
    for part, filters in zip(
        np.split(padded, groups, axis=-1),
        np.split(kernel, groups, axis=-1),
        strict=True,
    ):
        outputs.append(
            sum(
                part[:, i : i + height, j : j + width] @ filters[i, j]
                for i in range(3)
                for j in range(3)
            )
        )
    return np.concatenate(outputs, axis=-1)


@pytest.mark.parametrize("stride", [1, 2])
def test_each_group_has_filters_of_its_own(layers, stride):
    inputs = keras.Input((6, 6, 8))
    outputs = layers.convolve(
        inputs,
        12,
        size=3,
        stride=stride,
        name=lambda part: part,
        place="2",
        seeded=False,
        groups=4,
    )
    maps = np.random.default_rng(0).normal(size=(2, 6, 6, 8)).astype("float32")
    network = keras.Model(inputs, outputs)
    kernel = np.asarray(network.get_layer("2_conv").kernel)
    assert kernel.shape == (3, 3, 2, 12)
    expected = convolve_groups_by_hand(maps, kernel, 4)[:, ::stride, ::stride]
    assert relative_error(network(maps), expected) < 1e-5


def test_a_branch_is_dropped_for_a_whole_sample_or_not_at_all():
    inputs = keras.Input((2, 3, 4))
    network = keras.Model(inputs, drop_branch(inputs, 0.25, "drop"))
    maps = np.ones((4000, 2, 3, 4), "float32")
    np.testing.assert_array_equal(network(maps), maps)
    dropped = np.asarray(network(maps, training=True)).reshape(4000, -1)
    assert (dropped == dropped[:, :1]).all()
    kept = dropped[:, 0] > 0
    np.testing.assert_allclose(dropped[kept, 0], 1 / 0.75, rtol=1e-6)
    # Three deviations of a share of 4000 draws: the expectation stays what it was.
    assert kept.mean() == pytest.approx(0.75, abs=3 * np.sqrt(0.75 * 0.25 / 4000))
