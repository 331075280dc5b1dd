"""All that is done to a batch of training images, one augmentation after another."""

from collections.abc import Sequence
from typing import Any

from experiments.data.augmentation import Augment, CropAugment
from experiments.data.pipeline.sample_keys import derive_key

_PLACES = 2**32  # far from the numbers of an augmentation's own draws


class Changes:
    """A list of augmentations, each with keys of its own.

    The first one draws from the keys of the samples themselves, each next one from keys
    that are derived by its place.

    Args:
        augments: In their order.
    """

    def __init__(self, augments: Sequence[Augment]) -> None:
        self.augments = tuple(augments)

    @property
    def crop(self) -> CropAugment | None:
        """What cuts its window out of the original image; only the first one can."""
        first = self.augments[0] if self.augments else None
        return first if isinstance(first, CropAugment) else None

    @property
    def crops(self) -> bool:
        """Whether a window is cut out of the original image."""
        return self.crop is not None

    def change(self, images: Any, keys: Any, *, is_cropped: bool = False) -> Any:
        """Returns changed images, uint8 `(B, H, W, C)`.

        Args:
            images: uint8 `(B, H, W, C)`.
            keys: Of the samples, uint64 `(B,)`.
            is_cropped: The images are windows that `crop` has placed.
        """
        for place, augment in enumerate(self.augments):
            if place or not is_cropped:
                images = augment(
                    images, derive_key(keys, _PLACES + place) if place else keys
                )
        return images
