"""Identifies the content of a data set and how it was split."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from experiments.data.label_arrays import count_images, list_labels
from experiments.data.labels import Label, classes_of
from experiments.data.split import ArraySplit, Split


@dataclass(frozen=True)
class Fingerprint:
    """Equal fingerprints mean equal images, labels and splits.

    For images in memory every byte is hashed. For files it is the label and each
    file's digest (see `experiments.data.files.scanning.scan`: size, first and last
    4 KiB), so that a moved folder keeps its fingerprint and ImageNet is not read in
    full.

    Attributes:
        content: Hash of all images and labels, whichever split they are in, or in none.
        split: Hash of which image is in which split.
        counts: Split name -> number of images of each class; the sum is more, or less,
            than the images where these may have several classes.
        parts: Split name -> hash of its images and labels alone.
    """

    content: str
    split: str
    counts: dict[str, list[int]]
    parts: dict[str, str]

    def as_dict(self) -> dict[str, Any]:
        """Returns plain data for JSON."""
        return asdict(self)


def fingerprint_splits(
    splits: Mapping[str, Split], num_classes: int, held_out: Split | None = None
) -> Fingerprint:
    """Computes the fingerprint of the splits of one data set.

    The order of the images within a split does not matter.

    Args:
        splits: Split name -> split.
        num_classes: Length of the per-class counts.
        held_out: Images of the data set that are in none of its splits.
    """
    items = {name: sorted(_hash_items(split)) for name, split in splits.items()}
    unused = [] if held_out is None else _hash_items(held_out)
    everything = sorted([*(i for part in items.values() for i in part), *unused])
    membership = hashlib.blake2b(digest_size=16)
    for name, part in items.items():
        membership.update(f"{name}:{len(part)}:".encode())
        membership.update(b"".join(part))
    return Fingerprint(
        content=_hash_part(everything),
        split=membership.hexdigest(),
        counts={
            name: count_images(split.labels, num_classes)
            for name, split in splits.items()
        },
        parts={name: _hash_part(part) for name, part in items.items()},
    )


def fingerprint_images(split: Split) -> str:
    """Returns the hash of a split's images and labels, as `parts` has it."""
    return _hash_part(sorted(_hash_items(split)))


def _hash_part(items: list[bytes]) -> str:
    return hashlib.blake2b(b"".join(items), digest_size=16).hexdigest()


def _hash_items(split: Split) -> Iterator[bytes]:
    """Yields one hash an image, of its content and label."""
    labels = list_labels(split.labels)
    if isinstance(split, ArraySplit):
        shape = str(split.images.shape[1:]).encode()
        for image, label in zip(split.images, labels, strict=True):
            yield _hash(shape + np.ascontiguousarray(image).tobytes(), label)
    else:
        for digest, label in zip(split.digests, labels, strict=True):
            yield _hash(digest.encode(), label)


def _hash(content: bytes, label: Label) -> bytes:
    classes = ",".join(map(str, classes_of(label)))
    return hashlib.blake2b(f"{classes}:".encode() + content, digest_size=16).digest()
