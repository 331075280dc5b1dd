"""An augmentation that ends before the training does."""

from dataclasses import dataclass

from experiments.data.augmentation import Augment, MixAugment


@dataclass(frozen=True)
class Until:
    """What is done to the images of the first steps only.

    Attributes:
        augment: The augmentation.
        step: The first step without it, counted over all epochs.
    """

    augment: Augment | MixAugment
    step: int
