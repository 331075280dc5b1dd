"""The first batch of a training, as the network gets it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Images and labels of a step.

    Attributes:
        images: uint8 `(B, H, W, C)`, decoded and augmented.
        labels: int32 `(B,)`, float32 `(B, classes)` where they are mixed, and uint8
            `(B, classes)` where an image may have several.
        normalised: float32 `(B, H, W, C)`, what the first layer makes of them.
        plain: The same images without augmentation, as validation would see them, uint8
            `(B, H, W, C)`; `None` where nothing is augmented.
        plain_labels: Theirs, which are not mixed.
    """

    images: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int32 | np.float32 | np.uint8]
    normalised: npt.NDArray[np.float32]
    plain: npt.NDArray[np.uint8] | None
    plain_labels: npt.NDArray[np.int32 | np.uint8] | None


def take_batch(model: Any, batches: Any, plain: Any | None) -> Batch:
    """Takes the first batch of a pipeline.

    Args:
        model: What `build_model` returned; says what normalisation does.
        batches: The training's pipeline.
        plain: The same without augmentation; `None` where it has none.
    """
    import keras

    images, labels = _take(batches)
    before, own = (None, None) if plain is None else _take(plain)
    normalised = model.get_layer("normalise")(images)
    return Batch(
        images=images,
        labels=labels,
        normalised=np.asarray(keras.ops.convert_to_numpy(normalised), np.float32),
        plain=before,
        plain_labels=own,
    )


def _take(batches: Any) -> tuple[Any, Any]:
    images, labels, *_ = next(iter(batches.take(1).as_numpy_iterator()))
    return images, labels
