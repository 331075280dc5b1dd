"""What a network costs, estimated from its layers without running it."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import keras

from experiments.models.attention import (
    count_attention_elements,
    count_attention_flops,
    count_product_flops,
    is_attention,
)

# Layers that apply each of their kernels at every position of their output.
_KERNEL_LAYERS = (
    keras.layers.Dense,
    keras.layers.Conv1D,
    keras.layers.Conv2D,
    keras.layers.Conv3D,
    keras.layers.DepthwiseConv1D,
    keras.layers.DepthwiseConv2D,
    keras.layers.SeparableConv1D,
    keras.layers.SeparableConv2D,
)
_MARGINS = (keras.layers.ZeroPadding2D,)
# These hand on the memory of their input; the batch itself is not counted.
_VIEWS = (keras.layers.InputLayer, keras.layers.Flatten, keras.layers.Reshape)


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Costs of a network, images of a fixed size.

    Attributes:
        parameters: Number of all parameters, moving statistics included.
        trainable_parameters: Number of those an optimizer changes.
        flops_per_image: Of a forward pass; a multiply-add counts as 2. Convolutions,
            dense layers and attention: the rest is below 1 % in a residual network.
            Training takes about 3 times as much.
        activation_bytes_per_image: Of all layers' outputs, what backpropagation keeps
            at most; a compiler that fuses layers keeps about half.
        state_bytes: Weights, gradients and optimizer slots, whatever the batch.
        training_bytes: Weights, gradients, optimizer slots and a batch's activations;
            the framework's own memory and convolutions' work space come on top.
        uncounted_layers: Names of the layers missing from the FLOPs or activations,
            of other kinds or with outputs whose size shows only in a run.
    """

    parameters: int
    trainable_parameters: int
    flops_per_image: int
    activation_bytes_per_image: int
    state_bytes: int
    training_bytes: int
    uncounted_layers: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class LayerCost:
    """Costs of one layer or operation, an image of a fixed size.

    Attributes:
        path: Names of the models that it is nested in, the outermost left out.
        name: Of the layer.
        kind: Name of its class.
        shape: Of its (first) output for one image; `None` where only a run shows it.
        size: Height and width of the maps that it works on, 1 x 1 of a vector; where it
            only adds a margin, those without it.
        parameters: Moving statistics included.
        flops: Of a forward pass, as in `Cost`; `None`: unknown.
        activation_bytes: Of its outputs; `None`: unknown.
    """

    path: tuple[str, ...]
    name: str
    kind: str
    shape: tuple[int | None, ...] | None
    size: tuple[int, int] | None
    parameters: int
    flops: int | None
    activation_bytes: int | None


def measure_layers(model: keras.Model, *, precision: str) -> list[LayerCost]:
    """Estimates what each layer of a built model costs.

    Args:
        model: As `measure_cost` takes it.
        precision: Likewise.

    Returns:
        The costs, from the input to the output, nested models taken apart.
    """
    return [
        LayerCost(
            path=path,
            name=leaf.name,
            kind=type(leaf).__name__,
            shape=_find_shape(leaf, "output"),
            size=_find_size(leaf),
            parameters=count_parameters(getattr(leaf, "weights", ())),
            flops=_flops(leaf),
            activation_bytes=_activation_bytes(leaf, precision),
        )
        for path, leaf in _walk_named(model, ())
    ]


def measure_cost(
    model: keras.Model, *, batch_size: int, precision: str, optimizer_slots: int = 2
) -> Cost:
    """Estimates what a built model costs.

    Args:
        model: Functional or Sequential, nested ones included; its images have a fixed
            size. A layer used in several places is counted once.
        batch_size: Images a training step holds on one device.
        precision: `float32`, `mixed_bfloat16` or `mixed_float16`, in which weights,
            gradients and slots stay float32.
        optimizer_slots: Values an optimizer keeps for a parameter: 2 for Adam, 1 for
            momentum, 0 for plain gradient descent.

    Returns:
        The costs.
    """
    layers = measure_layers(model, precision=precision)
    activation_bytes = sum(layer.activation_bytes or 0 for layer in layers)
    trainable = count_parameters(model.trainable_weights)
    parameters = count_parameters(model.weights)
    state_bytes = 4 * (parameters + trainable * (1 + optimizer_slots))
    return Cost(
        parameters=parameters,
        trainable_parameters=trainable,
        flops_per_image=sum(layer.flops or 0 for layer in layers),
        activation_bytes_per_image=activation_bytes,
        state_bytes=state_bytes,
        training_bytes=state_bytes + batch_size * activation_bytes,
        uncounted_layers=tuple(
            layer.name
            for layer in layers
            if layer.flops is None or layer.activation_bytes is None
        ),
    )


def count_parameters(variables: Iterable[Any]) -> int:
    """Returns how many numbers there are in variables."""
    return sum(math.prod(variable.shape) for variable in variables)


def walk(model: Any) -> Iterator[Any]:
    """Yields each layer and operation of a model, nested models taken apart."""
    return (part for _, part in _walk_named(model, ()))


def _walk_named(
    model: Any, path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yields what `walk` does, each with the names of the models around it."""
    parts = model.layers if isinstance(model, keras.Sequential) else None
    for part in parts or getattr(model, "operations", None) or [model]:
        if isinstance(part, keras.Model) and part is not model:
            yield from _walk_named(part, (*path, part.name))
        else:
            yield path, part


def _find_shape(operation: Any, which: str) -> tuple[int | None, ...] | None:
    """Returns the shape of an image's `input` or `output`; `None`: unknown."""
    try:
        return tuple(keras.tree.flatten(getattr(operation, which))[0].shape[1:])
    except AttributeError:  # never called on symbolic tensors
        return None


def _find_size(operation: Any) -> tuple[int, int] | None:
    which = "input" if isinstance(operation, _MARGINS) else "output"
    shape = _find_shape(operation, which)
    if shape is None:
        return None
    height, width = shape[:2] if len(shape) == 3 else (1, 1)
    return None if height is None or width is None else (height, width)


def _activation_bytes(operation: Any, precision: str) -> int | None:
    elements = _output_elements(operation)
    return None if elements is None else elements * (4 if precision == "float32" else 2)


def _output_elements(operation: Any) -> int | None:
    """Returns how many values of an image an operation puts out; `None`: unknown."""
    if isinstance(operation, _VIEWS):
        return 0
    try:
        outputs = keras.tree.flatten(operation.output)
    except AttributeError:  # never called on symbolic tensors
        return None
    sizes = [size for output in outputs for size in output.shape[1:]]
    if None in sizes:
        return None
    inside = count_attention_elements(operation) if is_attention(operation) else 0
    return inside + sum(math.prod(output.shape[1:]) for output in outputs)


def _flops(operation: Any) -> int | None:
    """Returns the FLOPs of an operation for an image; `None`: unknown."""
    kernels = [w for w in getattr(operation, "weights", ()) if len(w.shape) > 1]
    if not kernels and not isinstance(operation, keras.Model):
        return 0
    elements = _output_elements(operation)
    if elements is None:
        return None
    if is_attention(operation):
        return count_attention_flops(operation)
    if isinstance(operation, keras.layers.EinsumDense):
        return count_product_flops(operation)
    if not isinstance(operation, _KERNEL_LAYERS):
        return None
    positions = elements // operation.output.shape[-1]
    return 2 * positions * count_parameters(kernels)
