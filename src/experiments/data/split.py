"""Where the images of one split are: in memory or in files."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from experiments.counts import count_of
from experiments.data.images.background import WHITE, Colour
from experiments.data.images.image_size import MAX_PIXELS
from experiments.data.label_arrays import Labels, as_labels
from experiments.errors import DataError


@dataclass(frozen=True)
class SkippedFile:
    """A file that `on_corrupt=skip` left out.

    Attributes:
        path: The file.
        reason: Why it cannot be used, half a sentence.
    """

    path: str
    reason: str


@dataclass(frozen=True, eq=False)
class ArraySplit:
    """Images in memory.

    Attributes:
        images: uint8 `(N, H, W, C)`.
        labels: int32 `(N,)`, or uint8 `(N, K)`, see `label_arrays`.
        numbers: int64 `(N,)`, the number of each image in the data set, by which it is
            named however that is divided; `None` for its number in the split.
        weights: float32 `(N,)`, what each image counts in a training's loss; `None` for
            1 each.

    Raises:
        DataError: Another dtype or shape, or not one label and number an image.
    """

    images: npt.NDArray[np.uint8]
    labels: Labels
    numbers: npt.NDArray[np.int64] | None = None
    weights: npt.NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        images = self.images
        if self.numbers is not None and len(self.numbers) != len(images):
            raise DataError(
                f"There must be one number an image. Received: {len(self.numbers)} for "
                f"{count_of(len(images), 'image')}."
            )
        if images.dtype != np.uint8 or images.ndim != 4:
            raise DataError(
                "Images in memory must be a uint8 array of shape (N, H, W, C). "
                f"Received: {images.dtype} of shape {images.shape}."
            )
        object.__setattr__(self, "labels", as_labels(self.labels, len(images)))

    def __len__(self) -> int:
        return len(self.images)

    def select(self, places: npt.NDArray[np.int64]) -> "ArraySplit":
        """Returns the images at some places, which keep their numbers."""
        numbers = np.arange(len(self)) if self.numbers is None else self.numbers
        weights = None if self.weights is None else self.weights[places]
        return ArraySplit(
            self.images[places], self.labels[places], numbers[places], weights
        )


@dataclass(frozen=True, eq=False)
class FileSplit:
    """Image files that are decoded while training.

    Attributes:
        paths: One file an image; JPEG, PNG, BMP, GIF (first frame) or WebP.
        labels: int32 `(N,)`, or uint8 `(N, K)`, see `label_arrays`.
        digests: One short content hash a file, for the fingerprint.
        crop_ratio: A central square of this share of the shorter side is kept,
            before it is resized; 0.875 is ImageNet's 224 of 256. Training with a
            cropping augmentation ignores it.
        background: Red, green and blue behind what is transparent, 0 to 255.
        max_pixels: A file that declares more is not decoded.
        weights: float32 `(N,)`, what each image counts in a training's loss; `None` for
            1 each.
        root: The data set's folder, where all of the paths lie; empty when they lie in
            no common one.

    Raises:
        DataError: Not one label and one digest a file.
    """

    paths: tuple[str, ...]
    labels: Labels
    digests: tuple[str, ...]
    crop_ratio: float = 1.0
    background: Colour = WHITE
    max_pixels: int = MAX_PIXELS
    root: str = ""
    weights: npt.NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        if len(self.digests) != len(self.paths):
            raise DataError(
                f"There must be one digest a file. Received: "
                f"{count_of(len(self.digests), 'digest')} for "
                f"{count_of(len(self.paths), 'file')}."
            )
        object.__setattr__(self, "labels", as_labels(self.labels, len(self.paths)))

    def __len__(self) -> int:
        return len(self.paths)


Split = ArraySplit | FileSplit
