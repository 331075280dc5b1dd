"""Takes the central window of images of any size and scales it, inside of a model.

The pipeline's own way (`experiments.data.images.resize`) is made of operations that
only TensorFlow has. Here each axis is one product of matrices, which every run time
knows; the pixels are the same to one grey level, which rounding decides.
"""

from typing import Any

import keras
from keras import ops

# As in `experiments.data.images.resize`: below it the mean over an area.
_LITTLE = 2.0


class CentreAndScale(keras.layers.Layer):
    """Images of any size as a training would have read them from a file.

    Args:
        size: Height and width to deliver.
        crop_ratio: Share of the shorter side that the central window has.
    """

    def __init__(
        self, size: tuple[int, int], crop_ratio: float, **arguments: Any
    ) -> None:
        super().__init__(**arguments)
        self.size = size
        self.crop_ratio = crop_ratio

    def call(self, images: Any) -> Any:
        """Returns float32 `(B, *size, C)`, whole numbers in 0..255.

        Args:
            images: uint8 `(B, H, W, C)`, those of a batch of one size.
        """
        height, width = self.size
        shape = ops.shape(images)
        high, wide = (ops.cast(shape[axis], "float32") for axis in (1, 2))
        scale = self.crop_ratio * ops.minimum(high / height, wide / width)
        window_high = ops.clip(ops.round(scale * height), 1, high)
        window_wide = ops.clip(ops.round(scale * width), 1, wide)
        little = ops.logical_and(
            window_high < _LITTLE * height, window_wide < _LITTLE * width
        )
        top = ops.floor((high - window_high) / 2)
        left = ops.floor((wide - window_wide) / 2)
        rows = _weigh(height, shape[1], top, window_high, little)
        columns = _weigh(width, shape[2], left, window_wide, little)
        scaled = ops.einsum("oh,bhwc->bowc", rows, ops.cast(images, "float32"))
        scaled = ops.einsum("ow,bhwc->bhoc", columns, scaled)
        return ops.floor(scaled + 0.5)

    def compute_output_shape(self, shape: Any) -> Any:
        """Returns `(B, *size, C)`."""
        return (shape[0], *self.size, shape[-1])


def _weigh(outputs: int, inputs: Any, start: Any, length: Any, little: Any) -> Any:
    """Returns what each pixel of an axis adds to each new one, `(outputs, inputs)`.

    Args:
        outputs: New length.
        inputs: Old length.
        start: Where the window begins.
        length: Of the window.
        little: Whether no axis shrinks by `_LITTLE` or more.
    """
    new = ops.cast(ops.arange(outputs), "float32")[:, None]
    old = ops.cast(ops.arange(inputs), "float32")[None] - start
    step = length / outputs
    distance = ops.abs(old + 0.5 - (new + 0.5) * step)
    triangle = ops.relu(1 - distance / ops.maximum(step, 1.0))
    ends = ops.minimum(old + 1, (new + 1) * step)
    covered = ops.relu(ends - ops.maximum(old, new * step))
    weights = ops.where(ops.logical_and(little, step > 1), covered, triangle)
    inside = ops.logical_and(old >= 0, old < length)
    weights = weights * ops.cast(inside, "float32")
    return weights / ops.sum(weights, axis=1, keepdims=True)
