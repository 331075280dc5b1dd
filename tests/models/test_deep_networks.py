"""Networks of a thousand layers build and learn."""

import keras
import numpy as np
import pytest

from experiments.speedups.batch_norm import fuse_batch_norms
from experiments.training.optimizers.keras_classes import build_optimizer
from tests.models.conftest import build_option


@pytest.mark.slow
@pytest.mark.parametrize(
    ("option", "trainable", "kernels", "published"),
    [
        ("resnet1202_cifar", 19_421_274, 19_331_632, 19.4),
        # The paper's 10.2 M are the weights without batch norm's.
        ("resnet1001_v2_cifar", 10_327_706, 10_178_480, 10.2),
    ],
)
def test_a_thousand_layers_take_a_training_step(option, trainable, kernels, published):
    network = build_option(option)
    sizes = [(w.path, int(np.prod(w.shape))) for w in network.trainable_weights]
    assert sum(size for _, size in sizes) == trainable
    assert sum(size for path, size in sizes if path.endswith("kernel")) == kernels
    assert published in (round(trainable / 1e6, 1), round(kernels / 1e6, 1))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    assert fuse_batch_norms(network, jit=False)
    # Eager: tracing such a graph takes far longer than one step.
    optimizer = build_optimizer(keras.optimizers.SGD, lr=1e-4, model=network)
    network.compile(optimizer, loss, run_eagerly=True)
    stem = network.get_layer("conv1_conv")
    (before,) = stem.get_weights()
    images = np.random.default_rng(0).normal(size=(2, 32, 32, 3))
    value = network.train_on_batch(images.astype("float32"), np.array([3, 7]))
    assert np.isfinite(value)
    change = np.abs(stem.get_weights()[0] - before)
    assert np.isfinite(change).all()
    assert change.max() > 0
