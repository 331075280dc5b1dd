"""The order of an epoch: every order is equally likely, the same on every machine."""

import numpy as np
import numpy.typing as npt

from experiments.data.pipeline.splitmix import derive_key

# What the keys of an epoch are for.
AUGMENTATION, SHUFFLE, SAMPLING = 0, 1, 2


def shuffle_epoch(*, count: int, seed: int, epoch: int) -> npt.NDArray[np.int64]:
    """Returns all images of an epoch in the order in which they are seen.

    They are sorted by independent 64-bit keys, one for each (seed, epoch, image); the
    rare equal ones stay in the order of the images.

    Args:
        count: Images in the split.
        seed: Any integer.
        epoch: From 0.

    Returns:
        A permutation of 0..count - 1, `(count,)`.
    """
    epoch_key = derive_key(derive_key(seed, SHUFFLE), epoch)
    keys = derive_key(epoch_key, np.arange(count))
    return np.argsort(keys, kind="stable")
