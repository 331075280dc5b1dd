"""Repeated augmentation: an image several times in a row, changed anew each time."""

from dataclasses import dataclass


@dataclass(frozen=True)
class RepeatedAugmentation:
    """Tells the order of an epoch to repeat each image.

    An epoch has as many steps as without it, so that it sees one in `repeats` of the
    images, others each time.

    Attributes:
        repeats: How often an image comes in an epoch that has it.

    Reference:
        Hoffer et al. (2019), Augment your batch, arXiv:1901.09335; as DeiT samples
        (arXiv:2012.12877), on one device.
    """

    repeats: int
