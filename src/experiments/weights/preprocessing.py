"""How pretrained networks want their images prepared."""

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Preprocessing:
    """What is subtracted from the channels of an image, and what they are divided by.

    Attributes:
        mean: Of red, green and blue, in units of 0..1.
        std: Likewise.
        reversed_channels: Weights that go with it were trained on blue, green, red.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]
    reversed_channels: bool = False

    def of_channels(self, channels: int) -> "Preprocessing":
        """Returns it for images of so many channels: 1 gets what is between three."""
        if channels == len(self.mean):
            return self
        mean, std = (sum(part) / len(part) for part in (self.mean, self.std))
        return Preprocessing((mean,) * channels, (std,) * channels)


_WHOLE = 1 / 255  # a deviation that leaves 0..255 as they are

# By Keras' own words for them, `keras.applications.imagenet_utils.preprocess_input`;
# which one an architecture has, `experiments.config.schema.models.applications` tells.
PREPROCESSINGS = {
    "torch": Preprocessing((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "caffe": Preprocessing(
        (123.68 / 255, 116.779 / 255, 103.939 / 255),
        (_WHOLE,) * 3,
        reversed_channels=True,
    ),
    "tf": Preprocessing((0.5,) * 3, (0.5,) * 3),
    "none": Preprocessing((0.0,) * 3, (_WHOLE,) * 3),
    # What EfficientNetV2 S, M and L have inside in Keras: divided by 128, less 1.
    "128": Preprocessing((128 / 255,) * 3, (128 / 255,) * 3),
}


def read_preprocessing(model: Any) -> Preprocessing | None:
    """Returns what a model of this project does to its images first.

    Args:
        model: A `keras.Model` of uint8 images.

    Returns:
        `None` where it has no layer `normalise`.
    """
    for layer in model.layers:
        if layer.name == "normalise" and hasattr(layer, "offset"):
            scale, offset = _as_list(layer.scale), _as_list(layer.offset)
            std = tuple(1 / (255 * s) for s in scale)
            return Preprocessing(
                tuple(-o * d for o, d in zip(offset, std, strict=True)), std
            )
    return None


def _as_list(value: Any) -> list[float]:
    return [float(number) for number in np.ravel(value)]
