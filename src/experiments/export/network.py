"""The network that is exported: one input of bytes, one output with a name."""

import math
from typing import Any, Literal

import keras
import numpy as np

from experiments.errors import ExperimentError
from experiments.evaluation.predictions import Output
from experiments.export.formats import INPUT
from experiments.export.scaling import CentreAndScale
from experiments.models.cost import walk
from experiments.speedups.grouped import divide_groups

_POLICY = "DTypePolicy"
_NORMALIZATION = "Normalization"
_EPSILON = 1e-7  # of deviations, as in `keras.layers.Normalization`


def build_exported(
    model: Any,
    *,
    kind: Output,
    output: Literal["probabilities", "logits"],
    any_size: bool,
    crop_ratio: float,
) -> Any:
    """Builds what leaves around a trained model, in float32.

    Args:
        model: A Keras model of uint8 images `(B, H, W, C)` -> `(B, classes)`.
        kind: What it gives.
        output: What the result shall give, and how it is called.
        any_size: Take images of any size, and their central window.
        crop_ratio: Share of the shorter side that the window has.

    Returns:
        A Keras model of `image`, uint8, to a mapping of one name to float32
        `(B, classes)`; its batch has any size.

    Raises:
        ExperimentError: The model gives probabilities, from which nothing leads back.
    """
    if output == "logits" and kind == "probabilities":
        raise ExperimentError(
            "The model ends in a softmax: it has no logits to export. Leave "
            "task.output at probabilities."
        )
    plain = copy_in_float32(model)
    height, width, channels = model.input_shape[1:]
    size = (None, None) if any_size else (height, width)
    images = keras.Input((*size, channels), dtype="uint8", name=INPUT)
    x = images
    if any_size:
        x = CentreAndScale((height, width), crop_ratio, name="centre_and_scale")(x)
    x = _only(plain(x))
    last: Any = keras.layers.Activation("linear", dtype="float32", name=output)
    if kind == "logits" and output == "probabilities":
        last = keras.layers.Softmax(dtype="float32", name=output)
    if kind == "several_labels" and output == "probabilities":
        last = keras.layers.Activation("sigmoid", dtype="float32", name=output)
    network = keras.Model(images, {output: last(x)}, name="exported")
    # The converter to ONNX refuses a model that was never asked.
    network(np.zeros((1, height, width, channels), np.uint8))
    return network


def without_scaling(network: Any) -> Any:
    """Returns what `build_exported` returned for images of the model's own size.

    It shares all weights; it is the network itself where that scales nothing.
    """
    _, first, *others = network.layers
    if not isinstance(first, CentreAndScale):
        return network
    plain, *last = others
    images = keras.Input(plain.input_shape[1:], dtype="uint8", name=INPUT)
    x = _only(plain(images))
    for layer in last:
        x = layer(x)
    (output,) = network.output_names
    return keras.Model(images, {output: x}, name="exported_sized")


def _only(outputs: Any) -> Any:
    """Returns the one output of a network, which one that was saved gives in a list."""
    return outputs[0] if isinstance(outputs, list | tuple) else outputs


def copy_in_float32(model: Any) -> Any:
    """Returns a copy of Keras' own layers in full precision.

    Its operations are those that every form has: without speed-ups, but for grouped
    convolutions, of which Keras has XLA make what ONNX does not know.
    """
    config = keras.saving.serialize_keras_object(model)
    copy = keras.saving.deserialize_keras_object(_widen(config))
    copy.set_weights(model.get_weights())
    for layer in walk(copy):
        if getattr(layer, "activation", None) is keras.activations.gelu:
            layer.activation = gelu
    divide_groups(copy)
    return copy


def gelu(x: Any) -> Any:
    """Returns `x` times the normal distribution's share below it, by `erf`.

    TensorFlow's own takes `erfc`, which ONNX does not know. In this order LiteRT's
    converter sees the one operation that it has for it.

    Reference:
        Hendrycks and Gimpel, Gaussian Error Linear Units, arXiv:1606.08415, section 2.
    """
    return 0.5 * x * (1 + keras.ops.erf(x * math.sqrt(0.5)))


def _widen(config: Any) -> Any:
    """Returns a serialised model whose layers all compute in float32."""
    if isinstance(config, list | tuple):
        return [_widen(part) for part in config]
    if not isinstance(config, dict):
        return config
    if config.get("class_name") == _POLICY:
        return {**config, "config": {**config["config"], "name": "float32"}}
    if config.get("class_name") == _NORMALIZATION:
        config = _rescale(config)
    # The loss and the optimizer of a training have nothing to say here.
    kept = {name: part for name, part in config.items() if name != "compile_config"}
    return {name: _widen(part) for name, part in kept.items()}


def _rescale(config: dict[str, Any]) -> dict[str, Any]:
    """Returns a `Normalization` by known numbers as the `Rescaling` that it is.

    In an ONNX file its numbers become inputs that nobody gives.
    """
    known = config["config"]
    mean, variance = known.get("mean"), known.get("variance")
    is_last = np.atleast_1d(known.get("axis", -1)).tolist() in ([-1], [3])
    if mean is None or variance is None or known.get("invert") or not is_last:
        return config
    deviation = np.maximum(np.sqrt(np.array(variance, np.float64)), _EPSILON)
    scale = 1 / deviation
    offset = -np.array(mean, np.float64) / deviation
    numbers = {"scale": scale.tolist(), "offset": offset.tolist()}
    kept = {name: known[name] for name in ("name", "dtype") if name in known}
    return {
        **config,
        "module": "keras.layers",
        "class_name": "Rescaling",
        "config": {**kept, **numbers},
    }
