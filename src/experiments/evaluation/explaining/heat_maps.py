"""Where in an image a model sees what speaks for a class."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import keras
import numpy as np
import numpy.typing as npt
from keras import ops
from PIL import Image

from experiments.errors import ExperimentError
from experiments.models.attention import is_attention
from experiments.models.inner_maps import (
    find_last_maps,
    is_identity,
    is_softmax,
    list_steps,
    listening,
    without_softmax,
)

Method = Literal["auto", "cam", "grad_cam"]

_AT_ONCE = 16  # images, whose maps of every layer are in memory with their gradients
_ROUNDING = 1e-5  # of float32, beside what is added up
# Likewise, of two ways to a score; a network in half precision has rounded its means.
_EXACT, _EXACT_IN_HALF = 1e-3, 3e-2

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, eq=False)
class HeatMaps:
    """What speaks for a class in each of N images.

    Attributes:
        method: How it was found.
        classes: int `(N,)`, the class of each map.
        scores: `(N, C)`, the model's, before a softmax.
        activations: `(N, h, w)`, as coarse as the model's last maps, with a sign. With
            `cam` their mean, and the class's bias, is the score of the class.
        maps: `(N, H, W)` in 0..1, as large as the images: what speaks for the class,
            as a share of the strongest place; all 0 where nothing does.
    """

    method: Literal["cam", "grad_cam"]
    classes: npt.NDArray[np.int64]
    scores: Floats
    activations: Floats
    maps: Floats


def make_heat_maps(
    model: Any,
    images: npt.NDArray[Any],
    classes: Sequence[int] | None = None,
    *,
    method: Method = "auto",
) -> HeatMaps:
    """Returns where each image speaks for a class.

    `cam`: each place's part of the class's score, which the dense layer behind a global
    average pooling gives; exact, and without a gradient. `grad_cam`: the last maps,
    weighted by the mean of the score's gradient over each. Behind an average pooling
    and a dense layer both are the same but for a factor.

    Args:
        model: A `keras.Model` of `(N, H, W, C)` -> `(N, classes)`; nested, functional,
            sequential or subclassed, with a softmax at its end or without.
        images: N images as it takes them, at least one.
        classes: The class of each; `None` for the one that the model finds likeliest.
        method: `auto` is `cam` where the model's head is such a one.

    Raises:
        ExperimentError: The model has no maps, or not the head that `cam` needs.

    Reference:
        Zhou et al., Learning Deep Features for Discriminative Localization,
        arXiv:1512.04150, section 2. Selvaraju et al., Grad-CAM, arXiv:1610.02391,
        equations 1 and 2. Deviation: what is shown of `cam` is its positive part too.
    """
    inside = _Inside(model, images[:1])
    dense = inside.find_dense()
    if method == "cam" and dense is None:
        raise ExperimentError(
            "The method cam needs a network that ends in global average pooling and "
            f"one dense layer. Behind its last maps {model.name} has "
            f"{inside.describe_head()}. Use grad_cam, or auto."
        )
    parts = [
        _explain(
            inside,
            images[start : start + _AT_ONCE],
            None if classes is None else classes[start : start + _AT_ONCE],
            None if method == "grad_cam" else dense,
        )
        for start in range(0, len(images), _AT_ONCE)
    ]
    chosen, scores, activations, limits = map(np.concatenate, zip(*parts, strict=True))
    return HeatMaps(
        method="grad_cam" if method == "grad_cam" or dense is None else "cam",
        classes=chosen,
        scores=scores,
        activations=activations,
        maps=_scale(activations, limits, images.shape[1:3]),
    )


class _Inside:
    """A model that can be asked for its last maps, and for scores by other ones."""

    def __init__(self, model: Any, image: npt.NDArray[Any]) -> None:
        self._model = model
        self._image = ops.convert_to_tensor(image)
        self._steps = list_steps(model, self._image)
        number = find_last_maps(self._steps)
        if number is None:
            raise ExperimentError(
                f"{model.name} has no maps of its images: no layer with an output "
                "(batch, height, width, channels) has seen all that its scores are "
                "made of. So there is no place in an image that could be shown."
                f"{self._describe_attention()}"
            )
        self._place, self._head = self._steps[number], self._steps[number + 1 :]

    def _describe_attention(self) -> str:
        if not any(is_attention(step.layer) for step in self._steps):
            return ""
        return (
            " What it sees is moved to other places by attention; a vision transformer "
            "has maps behind that with model.pooling=average."
        )

    def find_dense(self) -> Any:
        """Returns the dense layer behind a global average pooling; `None`: no such."""
        rest = [
            step.layer
            for step in self._head
            if not (is_identity(step.layer) or is_softmax(step.layer))
        ]
        kinds = (keras.layers.GlobalAveragePooling2D, keras.layers.Dense)
        if len(rest) != 2 or not all(map(isinstance, rest, kinds)):
            return None
        pool, dense = rest
        plain = (keras.activations.linear, keras.activations.softmax)
        is_plain = pool.data_format == "channels_last" and dense.activation in plain
        return dense if is_plain and self._adds_up(dense) else None

    def _adds_up(self, dense: Any) -> bool:
        """Holds the structure to numbers: something else may reach the dense layer."""
        scores, computed = self.compute(self._image)
        is_half = keras.backend.standardize_dtype(computed.dtype) != "float32"
        maps = _as_array(computed)
        terms = maps.mean(axis=(1, 2))[..., None] * _as_array(dense.kernel)
        bias = 0.0 if dense.bias is None else _as_array(dense.bias)
        exact = _EXACT_IN_HALF if is_half else _EXACT
        room = exact * (abs(terms).sum(axis=1) + abs(bias) + 1)
        found = terms.sum(axis=1) + bias
        return bool((abs(found - _as_array(scores)) < room).all())

    def describe_head(self) -> str:
        """Returns the kinds of layers behind the last maps."""
        kinds = [type(step.layer).__name__ for step in self._head]
        return ", ".join(kinds) or "nothing"

    def compute(self, images: Any, added: Any = None) -> tuple[Any, Any]:
        """Returns scores and last maps, to which something may be added."""
        heard: list[Any] = []

        def hear(layer: Any, inputs: tuple[Any, ...], output: Any) -> Any:
            heard.append(output)
            is_meant = added is not None and len(heard) == self._place.call + 1
            return output + ops.cast(added, output.dtype) if is_meant else output

        with without_softmax(self._steps), listening([self._place.layer], hear):
            scores = self._model(images, training=False)
        return ops.cast(scores, "float32"), heard[self._place.call]


_Part = tuple[npt.NDArray[np.int64], Floats, Floats, Floats]


def _explain(
    inside: _Inside, images: npt.NDArray[Any], classes: Sequence[int] | None, dense: Any
) -> _Part:
    """Returns classes, scores, activations and what of these may be rounding."""
    given = ops.convert_to_tensor(images)
    scores, maps = inside.compute(given)
    scores_seen, maps_seen = _as_array(scores), _as_array(maps)
    chosen = scores_seen.argmax(axis=1) if classes is None else np.asarray(classes)
    if dense is None:
        wanted = ops.one_hot(chosen, scores.shape[1], dtype="float32")
        gradients = _differentiate(inside, given, maps, wanted)
        weights = gradients.mean(axis=(1, 2))  # (N, channels)
    else:
        weights = _as_array(dense.kernel)[:, chosen].T
    activations = np.einsum("nhwk,nk->nhw", maps_seen, weights)
    terms = np.einsum("nhwk,nk->nhw", abs(maps_seen), abs(weights))
    return chosen, scores_seen, activations, _ROUNDING * terms.max(axis=(1, 2))


def _differentiate(inside: _Inside, images: Any, maps: Any, wanted: Any) -> Floats:
    """Returns the gradient of each image's score by its maps, `(N, h, w, channels)`."""

    def add_up(added: Any) -> Any:
        # An image's score depends on its own maps alone.
        return ops.sum(inside.compute(images, added)[0] * wanted)

    return _as_array(_gradient(add_up, ops.zeros_like(maps)))


def _gradient(function: Callable[[Any], Any], at: Any) -> Any:
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape() as tape:
            tape.watch(at)
            value = function(at)
        # Zero where something in between has none, as JAX gives it.
        zero = tf.UnconnectedGradients.ZERO
        return tape.gradient(value, at, unconnected_gradients=zero)
    if backend == "jax":
        import jax

        return jax.grad(function)(at)
    raise ExperimentError(
        "The method grad_cam needs a gradient, which is taken with the backends "
        f"tensorflow and jax. Received: {backend}."
    )


def _scale(activations: Floats, limits: Floats, size: tuple[int, ...]) -> Floats:
    """Returns what is positive, as large as the images, as a share of the most."""
    positive = np.where(activations > limits[:, None, None], activations, 0)
    maps = np.stack([_enlarge(one, size) for one in positive.astype(np.float32)])
    most = maps.max(axis=(1, 2), keepdims=True)
    return np.divide(maps, most, out=np.zeros_like(maps), where=most > 0)


def _enlarge(map_: Floats, size: tuple[int, ...]) -> Floats:
    """Returns a map (H, W), what lies between its places by their distance."""
    height, width = size
    image = Image.fromarray(map_).resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(image)


def _as_array(tensor: Any) -> Floats:
    return np.asarray(ops.convert_to_numpy(ops.cast(tensor, "float32")))
