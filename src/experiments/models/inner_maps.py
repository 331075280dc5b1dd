"""The maps inside of a model, which its layers are listened to for.

Whatever a model is nested in or made of, its layers are called when it computes. So no
graph is taken apart and put together anew, where nested models end in "graph
disconnected": a layer's output is heard, and changed, on its way.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import keras

from experiments.models.attention import is_attention
from experiments.models.cost import walk

# A layer, what it was called with, and what came out -> what is handed on instead.
Hear = Callable[[Any, tuple[Any, ...], Any], Any]

# They look at nothing that the maps before them do not show in more detail.
_COARSER = (
    keras.layers.AveragePooling2D,
    keras.layers.MaxPooling2D,
    keras.layers.Dropout,
    keras.layers.SpatialDropout2D,
    keras.layers.ZeroPadding2D,
    keras.layers.Cropping2D,
    keras.layers.UpSampling2D,
    keras.layers.Reshape,
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Step:
    """One call of a layer.

    Attributes:
        layer: A layer or operation.
        call: Which of its calls, from 0; a shared layer has several.
        shape: Of what came out; empty where that is no single tensor.
        has_kernel: Whether it has weights that mix channels or places.
        is_neck: Whether all that comes after depends on the images through it alone.
    """

    layer: Any
    call: int
    shape: tuple[int, ...]
    has_kernel: bool
    is_neck: bool

    @property
    def has_maps(self) -> bool:
        """Whether maps (B, H, W, C) of more than one place came out."""
        return len(self.shape) == 4 and self.shape[1] * self.shape[2] > 1


def list_steps(model: Any, image: Any) -> list[Step]:
    """Returns the calls of a model's layers in their order.

    Args:
        model: A built `keras.Model`; nested, functional, sequential or subclassed.
        image: One of its images, `(1, H, W, C)`.
    """
    heard: list[tuple[Any, list[int], int]] = []
    alive: list[Any] = []  # else the id of a tensor might be another's later
    shapes: list[tuple[int, ...]] = []

    def hear(layer: Any, inputs: tuple[Any, ...], output: Any) -> Any:
        alive.extend([inputs, output])
        taken = [id(tensor) for tensor in keras.tree.flatten(inputs)]
        heard.append((layer, taken, id(output)))
        shapes.append(tuple(getattr(output, "shape", ())))
        return output

    with listening(list_leaves(model), hear):
        model(image, training=False)
    necks = _find_necks([(taken, given) for _, taken, given in heard])
    calls: dict[int, int] = {}
    steps = []
    for (layer, _, _), shape, neck in zip(heard, shapes, necks, strict=True):
        call = calls.setdefault(id(layer), 0)
        calls[id(layer)] += 1
        kernels = [w for w in getattr(layer, "weights", ()) if len(w.shape) > 1]
        steps.append(
            Step(
                layer=layer,
                call=call,
                shape=shape,
                has_kernel=bool(kernels),
                is_neck=neck,
            )
        )
    return steps


def find_last_maps(steps: Sequence[Step]) -> int | None:
    """Returns which step gives the last maps of a model, by its structure.

    Those after which nothing but pooling and the head comes. A branch's maps are not
    meant, for the other branch goes past them, nor is an image that no kernel has seen.
    Behind maps there is no attention: it moves what they show to other places.

    Returns:
        Its number; `None` in a model that has no such maps.
    """
    seen = [
        number
        for number, step in enumerate(steps)
        if step.has_maps and step.is_neck and not isinstance(step.layer, _COARSER)
    ]
    first = next((n for n, s in enumerate(steps) if s.has_maps and s.has_kernel), None)
    if first is None or not seen or seen[-1] < first:
        return None
    moved = any(is_attention(step.layer) for step in steps[seen[-1] :])
    return None if moved else seen[-1]


def list_leaves(model: Any) -> list[Any]:
    """Returns each layer and operation once, nested models of any kind taken apart."""
    found: dict[int, Any] = {}
    for part in walk(model):
        if isinstance(part, keras.Model):  # a subclass, which has no graph
            leaves = [leaf for layer in part.layers for leaf in list_leaves(layer)]
        else:
            leaves = [part]
        found.update((id(leaf), leaf) for leaf in leaves)
    return list(found.values())


@contextmanager
def listening(layers: Iterable[Any], hear: Hear) -> Iterator[None]:
    """Lets a function hear, and change, what layers put out when they are called.

    What is compiled already, such as `model.predict`, goes on as it was: call the
    model itself.

    Args:
        layers: Layers or operations.
        hear: Called after each call of each.
    """
    with ExitStack() as stack:
        for layer in layers:
            stack.enter_context(_replaced(layer, "call", _overhear(layer, hear)))
        yield


@contextmanager
def without_softmax(steps: Sequence[Step]) -> Iterator[None]:
    """Lets a model give the scores that its softmax would make probabilities of.

    Args:
        steps: Those of the model; without a softmax at their end nothing changes.
    """
    last = _find_head(steps)
    if last is None:
        yield
    elif is_softmax(last.layer):
        with listening([last.layer], lambda layer, inputs, output: inputs[0]):
            yield
    elif getattr(last.layer, "activation", None) is keras.activations.softmax:
        with _replaced(last.layer, "activation", keras.activations.linear):
            yield
    else:
        yield


def is_softmax(layer: Any) -> bool:
    """Tells whether a layer or operation is a softmax and nothing else."""
    if isinstance(layer, keras.layers.Activation):
        return layer.activation is keras.activations.softmax
    return type(layer).__name__ == "Softmax"  # the layer, and `keras.ops.softmax`


def is_identity(layer: Any) -> bool:
    """Tells whether a layer hands on its numbers as they are when nothing is trained.

    Their arrangement may change.
    """
    if isinstance(layer, keras.layers.Activation):
        return layer.activation is keras.activations.linear
    plain = (keras.layers.Dropout, keras.layers.Flatten, keras.layers.Reshape)
    return isinstance(layer, (*plain, keras.layers.Identity))


def _find_head(steps: Sequence[Step]) -> Step | None:
    return next((s for s in reversed(steps) if not is_identity(s.layer)), None)


def _find_necks(heard: Sequence[tuple[list[int], int]]) -> list[bool]:
    """Returns for each step whether no later one takes what an earlier one gave."""
    given: dict[int, int] = {}
    earliest = []  # of the steps whose output a step takes
    for number, (taken, output) in enumerate(heard):
        earliest.append(min((given[t] for t in taken if t in given), default=number))
        given.setdefault(output, number)  # an identity hands on what it was given
    necks, reach = [], len(heard)
    for number in reversed(range(len(heard))):
        necks.append(reach >= given[heard[number][1]])
        reach = min(reach, earliest[number])
    return necks[::-1]


def _overhear(layer: Any, hear: Hear) -> Callable[..., Any]:
    plain = layer.call

    def call(*args: Any, **kwargs: Any) -> Any:
        return hear(layer, (*args, *kwargs.values()), plain(*args, **kwargs))

    return call


@contextmanager
def _replaced(owner: Any, name: str, value: Any) -> Iterator[None]:
    """Gives an object another attribute for a while."""
    own = vars(owner).get(name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        if own is None:
            delattr(owner, name)
        else:
            setattr(owner, name, own)
