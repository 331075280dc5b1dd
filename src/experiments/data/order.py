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

    def locate_batch(self, step: Any) -> tuple[Any, Any]:
        """Returns the images of a step.

        Args:
            step: Scalar int64, counted over all epochs.

        Returns:
            Indices int64 `(B,)` and keys uint64 `(B,)`; `B` is the batch size, less in
            an epoch's last step unless the remainder is dropped.
        """
        first = step % self.steps_per_epoch * self.batch_size
        positions = first + tf.range(self.batch_size, dtype=tf.int64)
        if not self.drop_remainder:
            positions = positions[: self.count - first]
        return self._locate(step // self.steps_per_epoch, positions)

    def locate_places(self, step: Any) -> tuple[Any, Any, Any]:
        """Returns the images of a step, always `batch_size` of them.

        Args:
            step: Scalar int64, counted over all epochs.

        Returns:
            Indices int64 `(B,)`, keys uint64 `(B,)`, and bool `(B,)`: false for the
            places that an incomplete last batch leaves over, which repeat image 0.
        """
        first = step % self.steps_per_epoch * self.batch_size
        positions = first + tf.range(self.batch_size, dtype=tf.int64)
        used = positions < self.count
        positions = tf.where(used, positions, tf.zeros_like(positions))
        return *self._locate(step // self.steps_per_epoch, positions), used

    def _locate(self, epoch: Any, positions: Any) -> tuple[Any, Any]:
        root = key_from_seed(self.seed)
        indices = positions
        if self.shuffle:
            seed = split_key(derive_key(derive_key(root, _SHUFFLE), epoch))
            indices = tf.random.experimental.index_shuffle(
                positions, seed, tf.constant(self.count - 1, tf.int64)
            )
        epoch_key = derive_key(derive_key(root, _AUGMENTATION), epoch)
        return indices, derive_key(epoch_key, indices)
