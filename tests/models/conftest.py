"""Networks as the command line would build them."""

import functools
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from experiments.config.reading.convert import convert
from experiments.config.schema.models.model import ResNetConfig
from experiments.errors import ConfigError, Problem
from experiments.models.resnet.builder import build_resnet
from experiments.models.resnet.layers import LayerFactory
from experiments.runtime.devices import Devices
from experiments.speedups.scope import variable_scope

CONF = Path(__file__).resolve().parents[2] / "conf"


def compose_resnet(option: str, *overrides: str) -> ResNetConfig:
    """Returns the typed config of `model=option`; overrides omit `model.`."""
    typed = [f"{'+' * o.startswith('+')}model.{o.lstrip('+')}" for o in overrides]
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = compose(f"model/{option}", typed)
    plain = OmegaConf.to_container(config.model, resolve=True)
    problems: list[Problem] = []
    result: ResNetConfig = convert(plain, ResNetConfig, key="model", problems=problems)
    if problems:
        raise ConfigError(problems)
    return result


def build_option(
    option: str,
    *overrides: str,
    image: tuple[int, int, int] = (32, 32, 3),
    classes: int = 10,
) -> Any:
    """Builds the network of `model=option`."""
    arguments = compose_resnet(option, *overrides).arguments()
    with variable_scope(Devices(gpus=()), keras.backend.backend()):
        return build_resnet(input_shape=image, num_classes=classes, **arguments)


@functools.cache
def share_option(
    option: str, *, image: tuple[int, int, int] = (32, 32, 3), classes: int = 10
) -> Any:
    """Builds the network of `model=option` once for all tests; values may change."""
    return build_option(option, image=image, classes=classes)


def build_small(*overrides: str, image: tuple[int, int, int] = (8, 8, 3)) -> Any:
    """Builds a network of two stages, two blocks and one, 4 and 8 filters."""
    small = ("depth=null", "blocks=[2,1]", "block=basic", "width=4")
    keys = {override.partition("=")[0] for override in overrides}
    kept = [o for o in small if o.partition("=")[0] not in keys]
    return build_option("resnet", *kept, *overrides, image=image, classes=5)


def list_operations(model: Any, *, jit: bool = False) -> list[str]:
    """Lists the operations of the training graph, called functions included."""
    import tensorflow as tf

    @tf.function(jit_compile=jit)
    def step(x: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(model(x, training=True))
        return tape.gradient(loss, model.trainable_variables)

    graph = step.get_concrete_function(tf.zeros((2, *model.input_shape[1:]))).graph
    return [operation.type for operation in graph.get_operations()]


def randomize_weights(model: Any, seed: int = 0) -> None:
    """Fills every weight, moving statistics too; signals keep their size."""
    rng = np.random.default_rng(seed)
    for weight in model.weights:
        kind = weight.path.rpartition("/")[2]
        if kind == "kernel":
            fan_in = np.prod(weight.shape[:-1])
            value = rng.normal(0, np.sqrt(2 / fan_in), weight.shape)
        elif kind in ("gamma", "moving_variance"):
            value = rng.uniform(0.5, 1.5, weight.shape)
        else:
            value = rng.normal(0, 0.2, weight.shape)
        weight.assign(value.astype("float32"))


def run_until(model: Any, tensor: Any, images: Any) -> np.ndarray:
    """Returns a tensor inside the network, computed in inference mode."""
    inner = keras.Model(model.input, tensor)
    return np.asarray(keras.ops.convert_to_numpy(inner(images, training=False)))


def relative_error(value: Any, expected: Any) -> float:
    """Returns the largest difference over the largest expected magnitude."""
    value, expected = np.asarray(value, "float64"), np.asarray(expected, "float64")
    return float(np.abs(value - expected).max() / np.abs(expected).max())


@pytest.fixture
def layers() -> LayerFactory:
    """Makes the layers of a network in the paper's manner."""
    return LayerFactory(
        conv_bias=False,
        bn_momentum=0.9,
        bn_epsilon=1e-5,
        initializer="he_fan_out",
        activation="relu",
    )


@pytest.fixture
def images() -> np.ndarray:
    """Four normalised images of 8 × 8 pixels."""
    return np.random.default_rng(1).normal(size=(4, 8, 8, 3)).astype("float32")


@pytest.fixture(autouse=True)
def seeded() -> None:
    keras.utils.set_random_seed(0)
