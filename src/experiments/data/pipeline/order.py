"""Which image is seen at which step: a pure function of seed, epoch and position."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from experiments.data.pipeline.sample_keys import derive_key, key_from_seed
from experiments.data.pipeline.shuffle import AUGMENTATION, shuffle_epoch

_TIMES = 2**33  # far from the numbers that augmentations draw


@dataclass(frozen=True, kw_only=True)
class SampleOrder:
    """The order of the images, addressed by the step counted over all epochs.

    Attributes:
        count: Images in the split.
        batch_size: Images in a step.
        seed: Any integer; decides the order and the augmentation keys.
        shuffle: Another order each epoch; otherwise the split's own.
        drop_remainder: Leave the images of an incomplete last batch out of the epoch.
        draw: Returns the images of an epoch by its number, int64 `(count,)`, some of
            them several times; `None` for each of them once.
        repeats: How often an image comes in a row; an epoch then has one in so many.
    """

    count: int
    batch_size: int
    seed: int
    shuffle: bool
    drop_remainder: bool
    draw: Callable[[int], npt.NDArray[np.int64]] | None = None
    repeats: int = 1

    @property
    def steps_per_epoch(self) -> int:
        """Steps in which an epoch's images are used up."""
        full, rest = divmod(self.count, self.batch_size)
        return full + (rest > 0 and not self.drop_remainder)

    def follow(self, steps: Any) -> Any:
        """Gives every step the order of its epoch, which is made once an epoch.

        Args:
            steps: `tf.data.Dataset` of scalar int64, counted over all epochs, each
                the one before plus one; the first may be any.

        Returns:
            A data set of (step, sequence), the arguments of `locate_batch`; `steps`
            itself when nothing is shuffled.
        """
        if not self.shuffle:
            return steps

        @tf.autograph.experimental.do_not_convert
        def advance(last: Any, step: Any) -> Any:
            epoch = step // self.steps_per_epoch
            sequence = tf.cond(
                epoch == last[0], lambda: last[1], lambda: self._sequence(step)
            )
            return (epoch, sequence), (step, sequence)

        before = tf.constant(-1, tf.int64), tf.zeros(self.count, tf.int64)
        return steps.scan(before, advance)

    def locate_batch(self, step: Any, sequence: Any = None) -> Any:
        """Returns the images of a step.

        Args:
            step: Scalar int64, counted over all epochs.
            sequence: The order of the step's epoch, int64 `(count,)`, which `follow`
                provides; made anew when it is not given.

        Returns:
            Indices int64 `(B,)`; `B` is the batch size, less in an epoch's last step
            unless the remainder is dropped.
        """
        first = step % self.steps_per_epoch * self.batch_size
        positions = first + tf.range(self.batch_size, dtype=tf.int64)
        if not self.drop_remainder:
            positions = positions[: self.count - first]
        return self._look_up(step, sequence, positions)

    def locate_places(self, step: Any, sequence: Any = None) -> tuple[Any, Any]:
        """Returns the images of a step, always `batch_size` of them.

        Args:
            step: Scalar int64, counted over all epochs.
            sequence: See `locate_batch`.

        Returns:
            Indices int64 `(B,)`, and bool `(B,)`: false for the places that an
            incomplete last batch leaves over, which repeat the epoch's first image.
        """
        first = step % self.steps_per_epoch * self.batch_size
        positions = first + tf.range(self.batch_size, dtype=tf.int64)
        used = positions < self.count
        positions = tf.where(used, positions, tf.zeros_like(positions))
        return self._look_up(step, sequence, positions), used

    def derive_keys(self, step: Any, indices: Any) -> Any:
        """Returns what augmentation draws from: a key for each image and epoch.

        An image that comes several times in an epoch has another key each time.

        Args:
            step: Scalar int64, counted over all epochs.
            indices: Of the step's images, int64 `(B,)`, from its first place on.

        Returns:
            uint64 `(B,)`.
        """
        root = derive_key(key_from_seed(self.seed), AUGMENTATION)
        keys = derive_key(derive_key(root, step // self.steps_per_epoch), indices)
        if self.draw is None and self.repeats == 1:
            return keys
        first = step % self.steps_per_epoch * self.batch_size
        positions = first + tf.range(tf.size(indices, tf.int64), dtype=tf.int64)
        if self.draw is not None:
            return derive_key(keys, positions)
        time = positions % self.repeats
        return tf.where(time == 0, keys, derive_key(keys, _TIMES + time))

    def _look_up(self, step: Any, sequence: Any, positions: Any) -> Any:
        if not self.shuffle:
            return positions
        sequence = self._sequence(step) if sequence is None else sequence
        return tf.gather(sequence, positions)

    def _sequence(self, step: Any) -> Any:
        """Returns the images of a step's whole epoch in order, int64 `(count,)`."""

        def shuffle(epoch: np.int64) -> Any:
            count, draw = self.count, self.draw
            if draw is None:
                order = shuffle_epoch(count=count, seed=self.seed, epoch=int(epoch))
            else:
                order = draw(int(epoch))
            return np.repeat(order, self.repeats)[:count]

        epoch = step // self.steps_per_epoch
        sequence = tf.numpy_function(shuffle, [epoch], tf.int64, stateful=False)
        return tf.ensure_shape(sequence, (self.count,))
