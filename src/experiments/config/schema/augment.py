"""Schema of the `augment` group: what is done to training images."""

from collections.abc import Iterator
from dataclasses import dataclass

from experiments.config.fields import OpenTarget, Target, setting
from experiments.errors import Problem


@dataclass(frozen=True, kw_only=True)
class NoAugmentConfig(Target):
    """Images as they are."""


@dataclass(frozen=True, kw_only=True)
class FlipCropConfig(Target):
    """Small shifts and mirroring.

    Attributes:
        pad: Pixels of black on each side; shifts by up to as much.
        flip: Mirror half of the images left to right.
    """

    pad: int = setting(ge=0, most=4096)
    flip: bool


@dataclass(frozen=True, kw_only=True)
class InceptionCropConfig(Target):
    """A random part of the image, scaled to the full size.

    Attributes:
        area: Smallest and largest share of the image's area.
        ratio: Smallest and largest width / height.
        flip: Mirror half of the images left to right.
    """

    area: list[float] = setting(gt=0, le=1, least=1e-6, length=2)
    ratio: list[float] = setting(gt=0, least=1e-3, most=1000, length=2)
    flip: bool

    def check(self) -> Iterator[Problem]:
        """Yields a problem for a range whose ends are swapped."""
        for key, values in (("area", self.area), ("ratio", self.ratio)):
            if values[0] > values[1]:
                yield Problem(
                    key,
                    f"must be [smallest, largest]. Received: {values}.",
                    f"Set it to {values[::-1]}.",
                )


@dataclass(frozen=True, kw_only=True)
class CustomAugmentConfig(OpenTarget):
    """A user's own augmentation: its keys are those that its YAML file declares."""


AUGMENTS: dict[str, type] = {
    "experiments.data.augment.none.no_augment": NoAugmentConfig,
    "experiments.data.augment.flip_crop.FlipCrop": FlipCropConfig,
    "experiments.data.augment.inception_crop.InceptionCrop": InceptionCropConfig,
}
