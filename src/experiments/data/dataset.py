"""What every data set hands over: splits, names, shapes and what was skipped."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from experiments.config.kinds.corrections import NAME as CORRECTIONS
from experiments.config.kinds.corrections import Corrections
from experiments.counts import count_of, name_some
from experiments.data.corrections import apply_corrections
from experiments.data.fingerprint import Fingerprint, fingerprint_splits
from experiments.data.label_arrays import Labels, count_images, has_several
from experiments.data.normalization import measure_mean_and_std
from experiments.data.split import ArraySplit, FileSplit, SkippedFile, Split
from experiments.errors import DataError

__all__ = [
    "ArraySplit",
    "Dataset",
    "FileSplit",
    "SkippedFile",
    "Split",
    "build_dataset",
]

HELD_OUT = "held_out"  # what is the test split where no fold is


@dataclass(frozen=True, kw_only=True, eq=False)
class Dataset:
    """Images in up to three splits; the test split is never used for training.

    Attributes:
        name: Short name for tables and logs.
        class_names: One name a class; label `i` means `class_names[i]`, and of several
            labels an image column `i`.
        image_shape: `(H, W, C)` of the images that the pipeline delivers.
        mean: Mean of each channel, in units of 0..1.
        std: Standard deviation of each channel, in units of 0..1.
        train: What the model learns from.
        validation: What decides between models.
        test: What is measured once, at the end; `None` without one.
        fingerprint: Identifies the content and the split.
        skipped_files: Files that were left out because they are no usable images.
        cache: For `build_pipeline`: `auto`, `memory` or `none`.
        decode_threads: For `build_pipeline`: threads; `None` for one per CPU core.
        findings: What a person should know of the files, for the record: what is
            unused, images in several splits or under several labels.
        files: What lay in the folder, see `inventory`; empty for images in memory.
    """

    name: str
    class_names: tuple[str, ...]
    image_shape: tuple[int, int, int]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    train: Split
    validation: Split
    test: Split | None
    fingerprint: Fingerprint
    skipped_files: tuple[SkippedFile, ...] = ()
    cache: str = "auto"
    decode_threads: int | None = None
    findings: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, Any] = field(default_factory=dict)

    @property
    def train_counts(self) -> tuple[int, ...]:
        """Training images of each class."""
        return tuple(self.fingerprint.counts["train"])

    @property
    def has_several_labels(self) -> bool:
        """Whether an image may have several classes, or none."""
        return has_several(self.train.labels)

    @property
    def num_classes(self) -> int:
        """Number of classes, those without an image in some split included."""
        return len(self.class_names)

    @property
    def splits(self) -> dict[str, Split]:
        """The splits by name, in the order train, validation, test."""
        return _name_splits(self.train, self.validation, self.test)


def build_dataset(
    *,
    name: str,
    class_names: Sequence[str],
    image_shape: tuple[int, int, int],
    train: Split,
    validation: Split,
    test: Split | None = None,
    held_out: Split | None = None,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    skipped_files: Sequence[SkippedFile] = (),
    cache: str = "auto",
    decode_threads: int | None = None,
    findings: Mapping[str, Any] | None = None,
    files: Mapping[str, Any] | None = None,
    corrections: Corrections | None = None,
    left_out: Collection[str] = (),
) -> Dataset:
    """Checks the splits and completes them to a data set.

    Args:
        name: Short name for tables and logs.
        class_names: One name a class; label `i` means `class_names[i]`.
        image_shape: `(H, W, C)` that the pipeline shall deliver.
        train: Training split.
        validation: Validation split.
        test: Test split, if there is one.
        held_out: The data set's own test split, where a fold is tested instead.
        mean: Mean of each channel in units of 0..1; `None` measures it on `train`.
        std: Standard deviation of each channel; `None` measures it on `train`.
        skipped_files: What was left out, to be reported.
        cache: `auto`, `memory` or `none`; see `build_pipeline`.
        decode_threads: Threads of the pipeline; `None` for one per CPU core.
        findings: What a person should know of the files.
        files: What lay in the folder.
        corrections: What a person decided about single images; applied here.
        left_out: Names of images that are in no split and may be spoken of in it.

    Raises:
        DataError: A split is empty, lacks a class or has a label out of range, or
            `mean` and `std` do not have one number a channel.
    """
    splits = _name_splits(train, validation, test)
    _check_splits(name, splits, class_names)
    if corrections is not None:
        unused = {} if held_out is None else {HELD_OUT: held_out}
        found = apply_corrections(
            {**splits, **unused}, corrections, class_names, left_out=left_out
        )
        held_out = found.splits.get(HELD_OUT)
        splits = {split: found.splits[split] for split in splits}
        findings = {**(findings or {}), CORRECTIONS: found.changes}
        train, validation = splits["train"], splits["validation"]
        test = splits.get("test")
        try:
            _check_splits(name, splits, class_names)
        except DataError as error:
            raise DataError(f"{corrections.path} leaves too little: {error}") from error
    if mean is None or std is None:
        measured = measure_mean_and_std(train, image_shape)
        mean, std = mean or measured[0], std or measured[1]
    _check_channels(name, image_shape, mean, std)
    return Dataset(
        name=name,
        class_names=tuple(class_names),
        image_shape=image_shape,
        mean=tuple(mean),
        std=tuple(std),
        train=train,
        validation=validation,
        test=test,
        fingerprint=fingerprint_splits(splits, len(class_names), held_out),
        skipped_files=tuple(skipped_files),
        cache=cache,
        decode_threads=decode_threads,
        findings=findings or {},
        files=files or {},
    )


def _name_splits(
    train: Split, validation: Split, test: Split | None
) -> dict[str, Split]:
    named = {"train": train, "validation": validation}
    return named if test is None else {**named, "test": test}


def _check_splits(
    name: str, splits: Mapping[str, Split], classes: Sequence[str]
) -> None:
    if len({has_several(split.labels) for split in splits.values()}) > 1:
        raise DataError(
            f"All splits of `{name}` must have labels of one kind: one class an image, "
            "or 0 and 1 for each class."
        )
    for split_name, split in splits.items():
        _check_labels(name, split_name, split.labels, classes)


def _check_labels(
    name: str, split: str, labels: Labels, classes: Sequence[str]
) -> None:
    """Raises unless every label is a class and every class has an image."""
    if not len(labels):
        raise DataError(
            f"The {split} split of `{name}` has no images. Add images, or give the "
            f"split a larger fraction."
        )
    if has_several(labels):
        _check_several(name, split, labels, classes)
        return
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= len(classes):
        raise DataError(
            f"Labels of the {split} split of `{name}` must lie in "
            f"0..{len(classes) - 1} ({count_of(len(classes), 'class', 'classes')}). "
            f"Received: {low}..{high}."
        )
    _check_presence(name, split, labels, classes)


def _check_several(
    name: str, split: str, labels: Labels, classes: Sequence[str]
) -> None:
    """Raises unless there is a column for each class, and one has an image.

    Of what is trained on each class needs one; where there is none to measure, a mean
    over the classes leaves the class out.
    """
    if labels.shape[1] != len(classes):
        raise DataError(
            f"Labels of the {split} split of `{name}` must have a column for each of "
            f"{count_of(len(classes), 'class', 'classes')}. Received: "
            f"{labels.shape[1]}."
        )
    if split == "train" or not labels.any():
        _check_presence(name, split, labels, classes)


def _check_presence(
    name: str, split: str, labels: Labels, classes: Sequence[str]
) -> None:
    counts = np.array(count_images(labels, len(classes)))
    missing = [classes[i] for i in np.flatnonzero(counts == 0).tolist()]
    if missing:
        raise DataError(
            f"The {split} split of `{name}` has no image of {len(missing)} of its "
            f"{count_of(len(classes), 'class', 'classes')}: {name_some(missing)}. "
            "Add images of them, give the split a larger fraction, or try another "
            "dataset.split_seed."
        )


def _check_channels(
    name: str,
    image_shape: tuple[int, int, int],
    mean: Sequence[float],
    std: Sequence[float],
) -> None:
    for key, values in (("mean", mean), ("std", std)):
        if len(values) != image_shape[2]:
            raise DataError(
                f"dataset.{key} must have {count_of(image_shape[2], 'number')}, one "
                f"for each channel of `{name}`. Received: {list(values)}."
            )
