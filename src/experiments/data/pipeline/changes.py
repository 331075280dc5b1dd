"""All that is done to a batch of training images, one augmentation after another."""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from experiments.data.augment.until import Until
from experiments.data.augmentation import Augment, CropAugment, MixAugment
from experiments.data.pipeline.sample_keys import derive_key

_LEAST = 1e-30  # weight: what counts nothing has labels all the same
_PLACES = 2**32  # far from the numbers of an augmentation's own draws


class Changes:
    """A list of augmentations, each with keys of its own.

    The first one draws from the keys of the samples themselves, each next one from keys
    that are derived by its place.

    Args:
        augments: In their order.
        classes: How many there are; needed where labels are mixed.
    """

    def __init__(
        self,
        augments: Sequence[Augment | MixAugment | Until],
        classes: int | None = None,
    ) -> None:
        listed = [a if isinstance(a, Until) else Until(a, -1) for a in augments]
        self.augments = tuple(each.augment for each in listed)
        self.steps = tuple(each.step for each in listed)
        self.classes = classes

    @property
    def crop(self) -> CropAugment | None:
        """What cuts its window out of the original image; only the first one can."""
        first = self.augments[0] if self.augments else None
        return first if isinstance(first, CropAugment) else None

    @property
    def crops(self) -> bool:
        """Whether a window is cut out of the original image."""
        return self.crop is not None

    def is_on(self, place: int, step: Any) -> Any:
        """Returns whether an augmentation is there in a step; `True` for always."""
        until = self.steps[place]
        return True if until < 0 else step < until

    def change(
        self,
        images: Any,
        labels: Any,
        keys: Any,
        step: Any,
        *,
        is_cropped: bool = False,
        weights: Any = None,
    ) -> tuple[Any, ...]:
        """Returns changed images, uint8 `(B, H, W, C)`, the labels and any weights.

        Labels are float32 `(B, classes)` where they may be mixed, in every step, and as
        they were otherwise.

        Args:
            images: uint8 `(B, H, W, C)`.
            labels: Of the samples, int32 `(B,)`.
            keys: Of the samples, uint64 `(B,)`.
            step: Scalar int64, counted over all epochs.
            is_cropped: The images are windows that `crop` has placed.
            weights: What the images count in the loss, float32 `(B,)`; `None` for 1
                each. A mixture counts as its parts do, by their shares.
        """
        mixes = any(isinstance(augment, MixAugment) for augment in self.augments)
        if mixes:
            labels = self._spread(labels)
        if mixes and weights is not None:
            # What is linear in the labels then is in what they count, too.
            labels = tf.concat([labels * weights[:, None], weights[:, None]], axis=1)
        for place in range(1 if is_cropped else 0, len(self.augments)):
            own = derive_key(keys, _PLACES + place) if place else keys
            images, labels = self._apply(place, images, labels, own, step)
        if weights is None:
            return images, labels
        if mixes:
            weights = labels[:, -1]
            labels = labels[:, :-1] / tf.maximum(weights, _LEAST)[:, None]
        return images, labels, weights

    def _spread(self, labels: Any) -> Any:
        if labels.shape.rank != 1:
            return tf.cast(labels, tf.float32)
        if self.classes is None:
            raise ValueError("Mixed labels need the number of classes.")
        return tf.one_hot(labels, self.classes, dtype=tf.float32)

    def _apply(
        self, place: int, images: Any, labels: Any, keys: Any, step: Any
    ) -> tuple[Any, Any]:
        augment, shape = self.augments[place], images.shape

        def change() -> tuple[Any, Any]:
            if isinstance(augment, MixAugment):
                return augment.mix(images, labels, keys)
            return augment(images, keys), labels

        is_on = self.is_on(place, step)
        if is_on is True:
            return change()
        changed, mixed = tf.cond(is_on, change, lambda: (images, labels))
        return tf.ensure_shape(changed, shape), mixed
