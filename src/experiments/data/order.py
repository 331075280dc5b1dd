"""Which image is seen at which step: a pure function of seed, epoch and position."""

from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from experiments.data.sample_keys import derive_key, key_from_seed, split_key

_AUGMENTATION, _SHUFFLE = 0, 1


@dataclass(frozen=True, kw_only=True)
class SampleOrder:
    """The order of the images, addressed by the step counted over all epochs.

    Attributes:
        count: Images in the split.
        batch_size: Images in a step.
        seed: Any integer; decides the order and the augmentation keys.
        shuffle: Another order each epoch; otherwise the split's own.
        drop_remainder: Leave the images of an incomplete last batch out of the epoch.
    """

    count: int
    batch_size: int
    seed: int
    shuffle: bool
    drop_remainder: bool

    @property
    def steps_per_epoch(self) -> int:
        """Steps in which an epoch's images are used up."""
        full, rest = divmod(self.count, self.batch_size)
        return full + (rest > 0 and not self.drop_remainder)

    def locate_batch(self, step: Any) -> Any:
        """Returns the images of a step.

        Args:
            step: Scalar int64, counted over all epochs.

        Returns:
            Indices int64 `(B,)`; `B` is the batch size, less in an epoch's last step
            unless the remainder is dropped.
        """
        first = step % self.steps_per_epoch * self.batch_size
        positions = first + tf.range(self.batch_size, dtype=tf.int64)
        if not self.drop_remainder:
            positions = positions[: self.count - first]
        return self._shuffle(step, positions)

    def locate_places(self, step: Any) -> tuple[Any, Any]:
        """Returns the images of a step, always `batch_size` of them.

        Args:
            step: Scalar int64, counted over all epochs.

        Returns:
            Indices int64 `(B,)`, and bool `(B,)`: false for the places that an
            incomplete last batch leaves over, which repeat image 0.
        """
        first = step % self.steps_per_epoch * self.batch_size
        positions = first + tf.range(self.batch_size, dtype=tf.int64)
        used = positions < self.count
        positions = tf.where(used, positions, tf.zeros_like(positions))
        return self._shuffle(step, positions), used

    def derive_keys(self, step: Any, indices: Any) -> Any:
        """Returns what augmentation draws from: a key for each image and epoch.

        Args:
            step: Scalar int64, counted over all epochs.
            indices: Of the step's images, int64 `(B,)`.

        Returns:
            uint64 `(B,)`.
        """
        return derive_key(self._epoch_key(step, _AUGMENTATION), indices)

    def _shuffle(self, step: Any, positions: Any) -> Any:
        if not self.shuffle:
            return positions
        seed = split_key(self._epoch_key(step, _SHUFFLE))
        last = tf.constant(self.count - 1, tf.int64)
        return tf.random.experimental.index_shuffle(positions, seed, last)

    def _epoch_key(self, step: Any, purpose: int) -> Any:
        root = derive_key(key_from_seed(self.seed), purpose)
        return derive_key(root, step // self.steps_per_epoch)
