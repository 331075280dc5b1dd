"""Data sets of TensorFlow Datasets, read by index and without decoding."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Unpack

from experiments.data.dataset import Dataset
from experiments.data.datasets.unpacked import (
    Encoded,
    UnpackedOptions,
    choose_column,
    load_unpacked,
    unpack,
)
from experiments.errors import DataError

_NAME = "dataset.name"


def load_tfds(
    *,
    name: str,
    path: str,
    download: bool,
    image_column: str | None,
    label_column: str | None,
    unpacked: str,
    **options: Unpack[UnpackedOptions],
) -> Dataset:
    """Unpacks a prepared data set's images once and loads them as `load_table` does.

    Args:
        name: As the library calls it.
        path: The library's `data_dir`.
        download: Whether to download and prepare what is not there.
        image_column: Feature that is the image; `None` for the only one.
        label_column: Feature that is the class; likewise.
        unpacked: Where unpacked images are kept.
        options: See `UnpackedOptions`.

    Raises:
        DataError: It is not there, not in array_record, or lacks images or classes.
    """
    builder = _open(name, Path(path).expanduser(), download=download)
    place = unpack(
        Path(str(builder.data_path)),
        Path(unpacked),
        lambda: _read(builder, image_column, label_column),
        what=(image_column, label_column),
    )
    return load_unpacked(place, name=name, **options)


def _open(name: str, folder: Path, *, download: bool) -> Any:
    import tensorflow_datasets as tfds

    kind = tfds.core.FileFormat.ARRAY_RECORD
    try:
        builder = tfds.builder(
            name, data_dir=str(folder), **({"file_format": kind} if download else {})
        )
        if download:
            builder.download_and_prepare()
    except (tfds.core.DatasetNotFoundError, ValueError, OSError) as error:
        reason = str(error).partition("\n")[0][:300]
        raise DataError(f"{_NAME} cannot be opened: {name}: {reason}") from error
    if not Path(str(builder.data_path)).is_dir():
        raise DataError(
            f"{_NAME}: {name} is not prepared in {folder}. Name the library's "
            "data_dir, dataset.path=..., or let it be downloaded: dataset.download=true"
        )
    if builder.info.file_format != kind:
        raise DataError(
            f"{_NAME}: {name} was prepared as {builder.info.file_format.value}, whose "
            "images cannot be read by index. Prepare it as array_record: tfds build "
            "--file_format=array_record"
        )
    return builder


def _read(builder: Any, image: str | None, label: str | None) -> Iterator[Encoded]:
    import tensorflow_datasets as tfds

    features = builder.info.features
    kinds = tfds.features
    images = [n for n in features if isinstance(features[n], kinds.Image)]
    image = choose_column("an image", images, image, "dataset.image_column")
    classes = [n for n in features if isinstance(features[n], kinds.ClassLabel)]
    label = choose_column("a class", classes, label, "dataset.label_column")
    for split in builder.info.splits:
        source = builder.as_data_source(
            split=split, decoders={image: tfds.decode.SkipDecoding()}
        )
        for number in range(len(source)):
            row = source[number]
            value = int(row[label])
            known = None if value < 0 else features[label].int2str(value)
            yield Encoded(split, known, bytes(row[image]))
