"""Stable names of the images of a split, and a hash of what each shows."""

import hashlib

import numpy as np

from experiments.data.split import ArraySplit, Split

_DIGEST_BYTES = 8


def name_samples(split: Split) -> list[str]:
    """Returns a name for each image that tells it from the others of its split.

    Of a file it is the path in the data set's folder, which may be moved; of an image
    in memory its number in the data set, or in the split where only that is known.
    """
    if isinstance(split, ArraySplit):
        numbers = range(len(split)) if split.numbers is None else split.numbers.tolist()
        return [str(number) for number in numbers]
    start = f"{split.root}/" if split.root else ""
    return [path.removeprefix(start) for path in split.paths]


def digest_samples(split: Split) -> list[str]:
    """Returns a hash of each image: of its pixels, or as the scan of files has it."""
    if not isinstance(split, ArraySplit):
        return list(split.digests)
    shape = str(split.images.shape[1:]).encode()
    return [
        hashlib.blake2b(
            shape + np.ascontiguousarray(image).tobytes(), digest_size=_DIGEST_BYTES
        ).hexdigest()
        for image in split.images
    ]
