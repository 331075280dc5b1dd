"""Looks at every image of a data set once, as the project's own decoder reads it."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from experiments.audit.measurement import PREVIEW, Measurement, measure_image
from experiments.data.dataset import Dataset
from experiments.data.images.pixels import read_pixels
from experiments.data.samples import digest_samples, name_samples
from experiments.data.split import FileSplit, Split

_AT_ONCE = 256


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where an image is.

    Attributes:
        sample: Its name.
        digest: Hash of its content, as predictions have it.
        split: Its split.
        row: Its number in the split.
        label: Number of its class.
    """

    sample: str
    digest: str
    split: str
    row: int
    label: int


@dataclass(frozen=True, eq=False)
class Survey:
    """Images of a data set, and what was measured of each.

    Attributes:
        dataset: Their data set.
        places: Where each image is.
        measurements: Of each; `None` for one that cannot be read.
    """

    dataset: Dataset
    places: Sequence[Place]
    measurements: Sequence[Measurement | None]

    def __len__(self) -> int:
        return len(self.places)

    def name_class(self, row: int) -> str:
        """Returns the class that an image is given."""
        return self.dataset.class_names[self.places[row].label]

    @cached_property
    def readable(self) -> npt.NDArray[np.bool_]:
        """Which images were measured, `(N,)`."""
        return np.array([found is not None for found in self.measurements], np.bool_)

    def column(self, name: str) -> npt.NDArray[np.float64]:
        """Returns a number of each image; NaN where it was not read."""
        return np.array(
            [np.nan if m is None else getattr(m, name) for m in self.measurements]
        )

    @cached_property
    def phashes(self) -> npt.NDArray[np.uint64]:
        """Perceptual hashes, `(N,)`; 0 where there is none."""
        found = (0 if m is None else m.phash for m in self.measurements)
        return np.fromiter(found, np.uint64, len(self))

    @cached_property
    def previews(self) -> npt.NDArray[np.float32]:
        """Previews, `(N, 256)`; zeros where there is none."""
        nothing = np.zeros(PREVIEW**2, np.float32)
        rows = [nothing if m is None else m.preview for m in self.measurements]
        return np.stack(rows) if rows else np.zeros((0, PREVIEW**2), np.float32)


def survey_dataset(dataset: Dataset) -> Survey:
    """Measures every image of every split."""
    places = [
        Place(sample=sample, digest=digest, split=name, row=row, label=label)
        for name, split in dataset.splits.items()
        for row, (sample, digest, label) in enumerate(
            zip(
                name_samples(split),
                digest_samples(split),
                split.labels.tolist(),
                strict=True,
            )
        )
    ]

    def measure(place: Place) -> Measurement | None:
        return _measure(dataset.splits[place.split], place.row)

    found: list[Measurement | None] = []
    with ThreadPoolExecutor(dataset.decode_threads or os.cpu_count()) as pool:
        for start in range(0, len(places), _AT_ONCE):  # so that Ctrl-C is heard soon
            found += pool.map(measure, places[start : start + _AT_ONCE])
    return Survey(dataset, places, found)


def read_image(split: Split, row: int) -> npt.NDArray[np.uint8] | None:
    """Returns a whole image as a viewer shows it; `None` if it cannot be read.

    Args:
        split: Where it is.
        row: Its number there.

    Returns:
        uint8 `(H, W, C)`.
    """
    return _read(split, row)[0]


def _measure(split: Split, row: int) -> Measurement | None:
    image, content = _read(split, row)
    return None if image is None else measure_image(image, file=content)


def _read(split: Split, row: int) -> tuple[npt.NDArray[np.uint8] | None, bytes]:
    if not isinstance(split, FileSplit):
        return split.images[row], b""
    try:
        content = Path(split.paths[row]).read_bytes()
        return read_pixels(content, split.background, split.max_pixels), content
    except (OSError, ValueError):
        return None, b""
