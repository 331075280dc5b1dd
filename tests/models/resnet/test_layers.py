import keras
import numpy as np
import pytest
import tensorflow as tf

from experiments.models.resnet.layers import LayerFactory
from tests.models.conftest import build_option, relative_error

SIDE, STRIDE, FILTERS = 32, 2, 16


@pytest.fixture
def layers():
    return LayerFactory(
        conv_bias=False,
        bn_momentum=0.9,
        bn_epsilon=1e-5,
        initializer="he_fan_out",
        activation="relu",
    )


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
