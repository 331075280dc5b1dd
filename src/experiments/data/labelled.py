"""Labelled images that a model is measured on, whatever classes they have."""

from dataclasses import dataclass, replace

import numpy as np

from experiments.data.dataset import Dataset
from experiments.data.fingerprint import fingerprint_images
from experiments.data.label_arrays import Labels, renumber
from experiments.data.split import SkippedFile, Split


@dataclass(frozen=True, kw_only=True, eq=False)
class Labelled:
    """Images of one split, or of all of a folder.

    Attributes:
        name: Short name of the data set.
        split: `train`, `validation` or `test`; `None` for all that there is.
        class_names: Of the data: label `i` means `class_names[i]`.
        images: The images.
        skipped_files: Files that were left out because they are no usable images.
        cache: For `build_pipeline`.
        decode_threads: Likewise.
    """

    name: str
    split: str | None
    class_names: tuple[str, ...]
    images: Split
    skipped_files: tuple[SkippedFile, ...] = ()
    cache: str = "auto"
    decode_threads: int | None = None

    @property
    def content(self) -> str:
        """Hash of the images and the names of their classes, in whatever order."""
        order = np.argsort(self.class_names)
        ranks = np.empty(len(order), np.int32)
        ranks[order] = np.arange(len(order))
        relabelled = self.relabelled(renumber(self.images.labels, ranks))
        return fingerprint_images(relabelled.images)

    def relabelled(self, labels: Labels) -> "Labelled":
        """Returns the same images with other labels."""
        return replace(self, images=replace(self.images, labels=labels))


def take_split(dataset: Dataset, split: str) -> Labelled:
    """Returns a split of a data set."""
    return Labelled(
        name=dataset.name,
        split=split,
        class_names=dataset.class_names,
        images=dataset.splits[split],
        skipped_files=dataset.skipped_files,
        cache=dataset.cache,
        decode_threads=dataset.decode_threads,
    )
