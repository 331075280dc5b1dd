"""Schema of the `augment` group: what is done to training images."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from experiments.config.reading.fields import OpenTarget, Target, setting
from experiments.config.schema.trainer import MOST_EPOCHS
from experiments.errors import Problem


@dataclass(frozen=True, kw_only=True)
class NoAugmentConfig(Target):
    """Images as they are."""


@dataclass(frozen=True, kw_only=True)
class AugmentConfig(Target):
    """What every augmentation has.

    Attributes:
        off_last_epochs: Epochs at the end of the training without it.
    """

    off_last_epochs: int = setting(ge=0, most=MOST_EPOCHS, added=5, before=0)

    def arguments(self) -> dict[str, Any]:
        """Returns the keyword arguments; when it ends is no matter of its own."""
        arguments = super().arguments()
        del arguments["off_last_epochs"]
        return arguments


@dataclass(frozen=True, kw_only=True)
class FlipCropConfig(AugmentConfig):
    """Small shifts and mirroring.

    Attributes:
        pad: Pixels of black on each side; shifts by up to as much.
        flip: Mirror half of the images left to right.
    """

    pad: int = setting(ge=0, most=4096)
    flip: bool


@dataclass(frozen=True, kw_only=True)
class InceptionCropConfig(AugmentConfig):
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
        yield from _check_ranges(area=self.area, ratio=self.ratio)


@dataclass(frozen=True, kw_only=True)
class RandAugmentConfig(AugmentConfig):
    """Some random operations of one strength.

    Attributes:
        num_ops: Operations an image, of fourteen.
        magnitude: Their strength, a bin from 0.
        magnitude_bins: Bins from no strength to the greatest.
        fill: Grey of what lies outside of a moved image.
    """

    num_ops: int = setting(ge=1, most=14)
    magnitude: int = setting(ge=0, most=999)
    magnitude_bins: int = setting(ge=2, most=1000)
    fill: int = setting(ge=0, le=255)

    def check(self) -> Iterator[Problem]:
        """Yields a problem for a magnitude beyond the greatest."""
        if self.magnitude >= self.magnitude_bins:
            yield Problem(
                "magnitude",
                f"must be less than magnitude_bins={self.magnitude_bins}, which count "
                f"from 0. Received: {self.magnitude}.",
            )


@dataclass(frozen=True, kw_only=True)
class RandAugmentIncreasingConfig(AugmentConfig):
    """Some random operations of a strength that is drawn about a magnitude.

    Attributes:
        num_ops: Operations an image, of fifteen.
        magnitude: Mean of their strength, of 10.
        magnitude_std: Its standard deviation.
        probability: Of each operation to happen.
        fill: Grey of what lies outside of a moved image.
    """

    num_ops: int = setting(ge=1, most=15)
    magnitude: float = setting(ge=0, le=10)
    magnitude_std: float = setting(ge=0, most=10)
    probability: float = setting(ge=0, le=1)
    fill: int = setting(ge=0, le=255)


@dataclass(frozen=True, kw_only=True)
class TrivialAugmentConfig(AugmentConfig):
    """One random operation of random strength.

    Attributes:
        magnitude_bins: Strengths from none to the greatest.
        fill: Grey of what lies outside of a moved image.
    """

    magnitude_bins: int = setting(ge=2, most=1000)
    fill: int = setting(ge=0, le=255)


@dataclass(frozen=True, kw_only=True)
class RandomErasingConfig(AugmentConfig):
    """A rectangle that is painted over.

    Attributes:
        probability: Of an image to lose one.
        area: Smallest and largest share of the image's area.
        ratio: Smallest and largest height / width.
        fill: A grey, or random values.
    """

    probability: float = setting(ge=0, le=1)
    area: list[float] = setting(gt=0, le=1, least=1e-6, length=2)
    ratio: list[float] = setting(gt=0, least=1e-3, most=1000, length=2)
    fill: Literal["noise"] | int = setting(ge=0, le=255)

    def check(self) -> Iterator[Problem]:
        """Yields a problem for a range whose ends are swapped."""
        yield from _check_ranges(area=self.area, ratio=self.ratio)


@dataclass(frozen=True, kw_only=True)
class MixConfig(AugmentConfig):
    """A mixture of two samples of a batch, labels too.

    Attributes:
        alpha: Of the beta distribution of the shares: 1 is uniform, less prefers
            mixtures that are nearly one of both.
        probability: Of being mixed.
        per: Whether all of this is drawn for a batch or for each sample.
    """

    alpha: float = setting(gt=0, least=0.01, most=100)
    probability: float = setting(ge=0, le=1)
    per: Literal["batch", "sample"]


@dataclass(frozen=True, kw_only=True)
class MixupCutmixConfig(AugmentConfig):
    """Either mixup or cutmix.

    Attributes:
        mixup_alpha: Of the beta distribution of mixup's shares.
        cutmix_alpha: Of that of cutmix's.
        probability: Of being mixed.
        switch_probability: Of cutmix rather than mixup.
        per: Whether all of this is drawn for a batch or for each sample.
    """

    mixup_alpha: float = setting(gt=0, least=0.01, most=100)
    cutmix_alpha: float = setting(gt=0, least=0.01, most=100)
    probability: float = setting(ge=0, le=1)
    switch_probability: float = setting(ge=0, le=1)
    per: Literal["batch", "sample"]


@dataclass(frozen=True, kw_only=True)
class ColorJitterConfig(AugmentConfig):
    """Colours a little more or less bright, contrasted, saturated and turned.

    Attributes:
        brightness: Most that a factor differs from 1.
        contrast: Likewise.
        saturation: Likewise.
        hue: Most that hues are turned, of the whole circle.
        probability: Of an image to be changed.
    """

    brightness: float = setting(ge=0, most=10)
    contrast: float = setting(ge=0, most=10)
    saturation: float = setting(ge=0, most=10)
    hue: float = setting(ge=0, le=0.5)
    probability: float = setting(ge=0, le=1)


@dataclass(frozen=True, kw_only=True)
class AffineConfig(AugmentConfig):
    """Turned, moved, scaled and sheared.

    Attributes:
        degrees: Largest turn either way.
        translate: Largest move, as a share of the width and of the height.
        scale: Smallest and largest scale.
        shear: Largest shear along x, in degrees.
        fill: Grey of what lies outside of a moved image.
        interpolation: The nearest pixel, or the mean of four.
    """

    degrees: float = setting(ge=0, le=180)
    translate: float = setting(ge=0, lt=1)
    scale: list[float] = setting(gt=0, least=0.01, most=100, length=2)
    shear: float = setting(ge=0, lt=90)
    fill: int = setting(ge=0, le=255)
    interpolation: Literal["nearest", "bilinear"] = setting(added=6, before="nearest")

    def check(self) -> Iterator[Problem]:
        """Yields a problem for a range whose ends are swapped."""
        yield from _check_ranges(scale=self.scale)


@dataclass(frozen=True, kw_only=True)
class ThreeAugmentConfig(AugmentConfig):
    """Grey, solarized or blurred.

    Attributes:
        sigma: Smallest and largest standard deviation of the blur, in pixels.
    """

    sigma: list[float] = setting(gt=0, least=0.01, most=10, length=2)

    def check(self) -> Iterator[Problem]:
        """Yields a problem for a range whose ends are swapped."""
        yield from _check_ranges(sigma=self.sigma)


@dataclass(frozen=True, kw_only=True)
class RepeatedConfig(Target):
    """An image several times in a row, changed anew each time.

    Attributes:
        repeats: How often.
    """

    repeats: int = setting(ge=1, most=100)


@dataclass(frozen=True, kw_only=True)
class CustomAugmentConfig(OpenTarget):
    """A user's own augmentation: its keys are those that its YAML file declares."""


def _check_ranges(**ranges: list[float]) -> Iterator[Problem]:
    for key, values in ranges.items():
        if values[0] > values[1]:
            yield Problem(
                key,
                f"must be [smallest, largest]. Received: {values}.",
                f"Set it to {values[::-1]}.",
            )


AUGMENTS: dict[str, type] = {
    "experiments.data.augment.none.no_augment": NoAugmentConfig,
    "experiments.data.augment.flip_crop.FlipCrop": FlipCropConfig,
    "experiments.data.augment.inception_crop.InceptionCrop": InceptionCropConfig,
    "experiments.data.augment.randaugment.RandAugment": RandAugmentConfig,
    "experiments.data.augment.randaugment_increasing.RandAugmentIncreasing": (
        RandAugmentIncreasingConfig
    ),
    "experiments.data.augment.trivialaugment.TrivialAugment": TrivialAugmentConfig,
    "experiments.data.augment.random_erasing.RandomErasing": RandomErasingConfig,
    "experiments.data.augment.color_jitter.ColorJitter": ColorJitterConfig,
    "experiments.data.augment.affine.Affine": AffineConfig,
    "experiments.data.augment.three_augment.ThreeAugment": ThreeAugmentConfig,
    "experiments.data.augment.repeated_augmentation.RepeatedAugmentation": (
        RepeatedConfig
    ),
    "experiments.data.augment.mixup.Mixup": MixConfig,
    "experiments.data.augment.cutmix.Cutmix": MixConfig,
    "experiments.data.augment.mixup_cutmix.MixupCutmix": MixupCutmixConfig,
}
