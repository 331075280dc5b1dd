"""Networks of a thousand layers build and learn."""

import keras
import numpy as np
import pytest

from tests.models.conftest import build_option


@pytest.fixture(scope="module")
def preactivated():
    return build_option("resnet1001_v2_cifar", image=(8, 8, 3))


def count_by_kind(network):
    sizes = [(w.path, int(np.prod(w.shape))) for w in network.trainable_weights]
    kernels = sum(size for path, size in sizes if path.endswith("kernel"))
    return sum(size for _, size in sizes), kernels


def test_1202_layers_have_the_papers_19_4_million_parameters():
    network = build_option("resnet1202_cifar", image=(8, 8, 3))
    assert count_by_kind(network) == (19_421_274, 19_331_632)


def test_1001_layers_have_the_papers_10_2_million_weights(preactivated):
    # The paper leaves out batch norm's.
    assert count_by_kind(preactivated) == (10_327_706, 10_178_480)


def test_1001_layers_take_a_training_step(preactivated):
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    # Eager: tracing such a graph takes far longer than one step.
    preactivated.compile(keras.optimizers.SGD(1e-4), loss, run_eagerly=True)
    stem = preactivated.get_layer("conv1_conv")
    (before,) = stem.get_weights()
    images = np.random.default_rng(0).normal(size=(2, 8, 8, 3)).astype("float32")
    value = preactivated.train_on_batch(images, np.array([3, 7]))
    assert np.isfinite(value)
    change = np.abs(stem.get_weights()[0] - before)
    assert np.isfinite(change).all()
    assert change.max() > 0
