"""What a network costs, estimated from its layers without running it."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import keras

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
# These hand on the memory of their input; the batch itself is not counted.
_VIEWS = (keras.layers.InputLayer, keras.layers.Flatten, keras.layers.Reshape)


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Costs of a network, images of a fixed size.

    Attributes:
        parameters: Number of all parameters, moving statistics included.
        trainable_parameters: Number of those an optimizer changes.
        flops_per_image: Of a forward pass; a multiply-add counts as 2. Convolutions
            and dense layers only: the rest is below 1 % in a residual network.
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
    leaves = list(walk(model))
    outputs = [_output_elements(leaf) for leaf in leaves]
    flops = [_flops(leaf) for leaf in leaves]
    element_bytes = 4 if precision == "float32" else 2
    activation_bytes = element_bytes * sum(elements or 0 for elements in outputs)
    trainable = _count(model.trainable_weights)
    parameters = _count(model.weights)
    state_bytes = 4 * (parameters + trainable * (1 + optimizer_slots))
    return Cost(
        parameters=parameters,
        trainable_parameters=trainable,
        flops_per_image=sum(count or 0 for count in flops),
        activation_bytes_per_image=activation_bytes,
        state_bytes=state_bytes,
        training_bytes=state_bytes + batch_size * activation_bytes,
        uncounted_layers=tuple(
            leaf.name
            for leaf, count, elements in zip(leaves, flops, outputs, strict=True)
            if count is None or elements is None
        ),
    )


def walk(model: Any) -> Iterator[Any]:
    """Yields each layer and operation of a model, nested models taken apart."""
    parts = model.layers if isinstance(model, keras.Sequential) else None
    for part in parts or getattr(model, "operations", None) or [model]:
        if isinstance(part, keras.Model) and part is not model:
            yield from walk(part)
        else:
            yield part


def _count(variables: Iterable[Any]) -> int:
    return sum(math.prod(variable.shape) for variable in variables)


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
    return sum(math.prod(output.shape[1:]) for output in outputs)


def _flops(operation: Any) -> int | None:
    """Returns the FLOPs of an operation for an image; `None`: unknown."""
    kernels = [w for w in getattr(operation, "weights", ()) if len(w.shape) > 1]
    if not kernels and not isinstance(operation, keras.Model):
        return 0
    elements = _output_elements(operation)
    if elements is None or not isinstance(operation, _KERNEL_LAYERS):
        return None
    positions = elements // operation.output.shape[-1]
    return 2 * positions * _count(kernels)
