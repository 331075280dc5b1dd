"""The networks of Keras Applications, with a head of our own."""

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
from keras.src.backend.common import global_state

from experiments.config.schema.models.applications import (
    find_alpha_problems,
    find_size_problems,
)
from experiments.errors import ConfigError, Problem

HEAD = "predictions"  # as most of Keras' own are called
_COUNTERS = "object_name_uids"
# What prepares images in Keras' network; ours has that in front of it.
_PREPARING = (keras.layers.Rescaling, keras.layers.Normalization)


def build_keras_application(
    *,
    input_shape: tuple[int, int, int],
    num_classes: int,
    architecture: str,
    alpha: float | None,
    pooling: str,
    dropout: float,
) -> keras.Model:
    """Builds a network of Keras Applications for any number of classes.

    It is Keras' own up to the last maps, less what some have in front of it to prepare
    images (EfficientNets, MobileNetV3, ConvNeXt). Its last layer computes in float32
    under every precision.

    Args:
        input_shape: Height, width and channels of an image.
        num_classes: Number of classes.
        architecture: Name of a function of `keras.applications`.
        alpha: Share of a MobileNet's filters; `None`: all of them.
        pooling: Of the last maps, `average` or `max`. ConvNeXt normalises behind it.
        dropout: Rate before the dense layer, in [0, 1); no layer at 0.

    Returns:
        A network from prepared floats (B, H, W, C) to logits (B, num_classes). Layers
        have the same names whatever was built before.

    Raises:
        ConfigError: Images too small, or a width that it does not have.
    """
    problems = [
        *find_size_problems(architecture, min(input_shape[:2])),
        *find_alpha_problems(architecture, alpha, published=False),
    ]
    if problems:
        found = [Problem(f"model.{p.key}", p.message, p.hint) for p in problems]
        raise ConfigError(found, title="The network")
    with fresh_names():
        body = call_application(
            architecture, alpha=alpha, input_shape=input_shape, include_top=False
        )
        inputs, x = _cut(body)
        pool = {
            "average": keras.layers.GlobalAveragePooling2D,
            "max": keras.layers.GlobalMaxPooling2D,
        }[pooling]
        x = pool(name=f"{pooling}_pool")(x)  # (B, C)
        if architecture.startswith("ConvNeXt"):
            name = f"{body.name}_head_layernorm"
            x = keras.layers.LayerNormalization(epsilon=1e-6, name=name)(x)
        if dropout:
            x = keras.layers.Dropout(dropout, name="top_dropout")(x)
        outputs = keras.layers.Dense(num_classes, dtype="float32", name=HEAD)(x)
        return keras.Model(inputs, outputs, name=body.name)


def call_application(
    architecture: str, *, alpha: float | None = None, **options: Any
) -> Any:
    """Calls a function of `keras.applications`; its weights are random by default.

    Args:
        architecture: Its name.
        alpha: For those that take one; `None`: the function's own.
        **options: Its other arguments. What would prepare images is left out where it
            can be.
    """
    build = getattr(keras.applications, architecture)
    if "include_preprocessing" in inspect.signature(build).parameters:
        options["include_preprocessing"] = False
    if alpha is not None:
        options["alpha"] = alpha
    return build(**{"weights": None, **options})


@contextmanager
def fresh_names() -> Iterator[None]:
    """Lets Keras number layers without a name from the start, as in a new process.

    Names are what weights and saved states are found by.
    """
    before = global_state.get_global_attribute(_COUNTERS)
    global_state.set_global_attribute(_COUNTERS, None)
    try:
        yield
    finally:
        global_state.set_global_attribute(_COUNTERS, before)


def _cut(body: Any) -> tuple[Any, Any]:
    """Returns what takes prepared images, and the last maps, (B, H, W, C)."""
    layers = body.layers
    inputs, outputs = body.input, body.output
    if isinstance(layers[-1], keras.layers.LayerNormalization):  # behind the pooling
        outputs = layers[-1].input
    for layer in layers[1:3]:
        if isinstance(layer, _PREPARING):
            inputs = layer.output
    if inputs is not body.input:  # a graph that begins there
        body = keras.Model(inputs, outputs)
        inputs, outputs = body.input, body.output
    return inputs, outputs
