"""Published data sets of small images: found, read, checked and split."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NotRequired, TypedDict, Unpack

import numpy as np

from experiments.data.array_folds import split_fold
from experiments.data.arrays.archive_files import Arrays, read_archive
from experiments.data.arrays.keras_cache import datasets_folder, download
from experiments.data.corrections import open_corrections
from experiments.data.dataset import ArraySplit, Dataset, build_dataset
from experiments.data.division import split_stratified
from experiments.data.files.inventory import describe_archive
from experiments.data.files.place.whereabouts import describe_absence
from experiments.data.folds import as_fold
from experiments.errors import DataError


class ArchiveOptions(TypedDict):
    """The keyword arguments that `mnist`, `cifar10` and their like share.

    Attributes:
        path: Local copy: `.npz`, CIFAR's archive or folder, a folder of IDX files;
            `None` for Keras' cache, or its download.
        image_size: Height and width to deliver; `None` for the data's own.
        mean: Mean of each channel in units of 0..1; `None` measures it.
        std: Standard deviation of each channel, likewise.
        corrections: File of decisions about single images; `None` for none.
        validation_fraction: Share of the published training set, stratified by class.
        split_seed: Decides which image goes where.
        folds: Of how many parts of the published training set `fold` is tested instead
            of the published test set; `None` for no such parts.
        fold: 1 to `folds`.
        cache: See `build_pipeline`.
        decode_threads: Threads; `None` for one per CPU core.
    """

    path: str | None
    image_size: int | None
    mean: Sequence[float] | None
    std: Sequence[float] | None
    corrections: NotRequired[str | None]
    validation_fraction: float
    split_seed: int
    folds: NotRequired[int | None]
    fold: NotRequired[int | None]
    cache: str
    decode_threads: int | None


@dataclass(frozen=True, kw_only=True)
class Archive:
    """Facts of one published data set.

    Attributes:
        name: Its name.
        class_names: Names of the labels 0, 1, ...
        image_shape: `(H, W, C)` as published.
        wanted: What to put into Keras' `datasets` folder when there is no network.
        cached: Names in that folder that are read without asking Keras, which would
            compare hashes and extract anew at each start.
        download: Keras' loader.
    """

    name: str
    class_names: tuple[str, ...]
    image_shape: tuple[int, int, int]
    wanted: str
    cached: tuple[str, ...]
    download: Callable[[], Any]


def load_archive(archive: Archive, **options: Unpack[ArchiveOptions]) -> Dataset:
    """Loads a published data set; its test set stays the test split, but for folds.

    Raises:
        DataError: It is not there and can't be downloaded, or is not what it should be.
    """
    path = options["path"]
    arrays, source = _find_arrays(archive, path)
    with _naming(source):
        return _build(archive, arrays, options)


def _build(archive: Archive, arrays: Arrays, options: ArchiveOptions) -> Dataset:
    path = options["path"]
    published = _make_split(archive, arrays.x_train, arrays.y_train)
    published_test = _make_split(archive, arrays.x_test, arrays.y_test)
    # Its images are numbered after those to train on: no two have the same name.
    ends = len(published), len(published) + len(published_test)
    published_test = replace(published_test, numbers=np.arange(*ends))
    fold = as_fold(options.get("folds"), options.get("fold"))
    fraction, seed = options["validation_fraction"], options["split_seed"]
    if fold is None:
        parts = split_stratified(published.labels, (fraction,), seed=seed)
        train, validation = map(published.select, parts)
        test, held_out = published_test, None
    else:
        held_out = published_test
        train, validation, test = split_fold(
            published,
            fold,
            class_names=archive.class_names,
            validation_fraction=fraction,
            seed=seed,
        )
    height, width, channels = archive.image_shape
    size = options["image_size"]
    return build_dataset(
        name=archive.name,
        class_names=archive.class_names,
        image_shape=(size or height, size or width, channels),
        mean=options["mean"],
        std=options["std"],
        train=train,
        validation=validation,
        test=test,
        held_out=held_out,
        cache=options["cache"],
        decode_threads=options["decode_threads"],
        files=describe_archive(Path(path).expanduser()) if path else None,
        corrections=open_corrections(options.get("corrections")),
    )


def _find_arrays(archive: Archive, path: str | None) -> tuple[Arrays, str]:
    """Returns the arrays and where they are from, for messages."""
    if path is not None:
        local = Path(path).expanduser()
        if not local.exists():
            raise DataError(describe_absence(local))
        return read_archive(local), str(local)
    folder = datasets_folder()
    for name in archive.cached:
        if (folder / name).exists():
            return read_archive(folder / name), str(folder / name)
    (x_train, y_train), (x_test, y_test) = download(
        archive.name, archive.download, archive.wanted
    )
    return Arrays(x_train, y_train, x_test, y_test), "Keras' download"


@contextmanager
def _naming(source: str) -> Iterator[None]:
    """Says of an error in the data where they are from."""
    try:
        yield
    except DataError as error:
        raise DataError(f"{error} The data are from {source}.") from error


def _make_split(archive: Archive, images: Any, labels: Any) -> ArraySplit:
    """Returns a split after checking shape, type, number and labels of the arrays."""
    images = np.asarray(images)
    if images.ndim == 3:
        images = images[..., None]
    if images.dtype != np.uint8 or images.shape[1:] != archive.image_shape:
        raise DataError(
            f"Images of {archive.name} must be uint8 of shape (N, "
            f"{', '.join(map(str, archive.image_shape))}). Received: {images.dtype} of "
            f"shape {images.shape}."
        )
    split = ArraySplit(images, np.asarray(labels))
    # Dividing them into splits takes this for granted.
    if not len(split):
        raise DataError(f"{archive.name} must have images. Received: none.")
    count = len(archive.class_names)
    if not (split.labels.min() >= 0 and split.labels.max() < count):
        raise DataError(
            f"Labels of {archive.name} must lie in 0..{count - 1}. Received: "
            f"{split.labels.min()}..{split.labels.max()}."
        )
    return split
