"""Images that Hugging Face's `datasets` reads from a local folder."""

import os
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
from experiments.data.files.place.whereabouts import PATH, require_folder
from experiments.errors import DataError

_OFFLINE = ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE")


def load_huggingface(
    *,
    path: str,
    image_column: str | None,
    label_column: str | None,
    unpacked: str,
    **options: Unpack[UnpackedOptions],
) -> Dataset:
    """Unpacks a folder's images once and loads them as `load_table` does.

    The splits are those of their names. A class is the name of a `ClassLabel`, or of
    another feature that was named the value as a text.

    Args:
        path: What `save_to_disk` left, Parquet files, or an image folder.
        image_column: Feature that is the image; `None` for the only one.
        label_column: Feature that is the class; likewise.
        unpacked: Where unpacked images are kept.
        options: See `UnpackedOptions`.

    Raises:
        DataError: The folder is none of these, or lacks images or classes.
    """
    root = require_folder(path)
    place = unpack(
        root,
        Path(unpacked),
        lambda: _read(root, Path(unpacked).expanduser(), image_column, label_column),
        what=(image_column, label_column),
    )
    return load_unpacked(place, name=root.resolve().name, **options)


def _read(
    root: Path, cache: Path, image: str | None, label: str | None
) -> Iterator[Encoded]:
    for split, data in _open(root, cache).items():
        yield from _read_split(split, data, image, label)


def _open(root: Path, cache: Path) -> dict[str, Any]:
    """Returns the splits of a folder by their names."""
    for name in _OFFLINE:
        os.environ.setdefault(name, "1")
    import datasets

    try:
        if (root / "dataset_dict.json").is_file() or (root / "state.json").is_file():
            found = datasets.load_from_disk(str(root))
        else:
            found = datasets.load_dataset(
                str(root), cache_dir=str(cache / "huggingface")
            )
    except (OSError, ValueError, TypeError, KeyError) as error:
        reason = str(error).partition("\n")[0][:300]
        raise DataError(
            f"{PATH} cannot be read by datasets: {root}: {reason}"
        ) from error
    return dict(found) if isinstance(found, dict) else {"train": found}


def _read_split(
    split: str, data: Any, image: str | None, label: str | None
) -> Iterator[Encoded]:
    import datasets

    kinds = data.features
    images = [name for name, kind in kinds.items() if isinstance(kind, datasets.Image)]
    image = choose_column("an image", images, image, "dataset.image_column")
    classes = [n for n, kind in kinds.items() if isinstance(kind, datasets.ClassLabel)]
    if label in kinds and isinstance(kinds[label], datasets.Value):
        classes.append(label)
    label = choose_column("a class", classes, label, "dataset.label_column")
    # The bytes as they are: decoding is this project's own.
    data = data.select_columns([image, label])
    data = data.cast_column(image, datasets.Image(decode=False))
    for number in range(len(data)):
        row = data[number]
        yield Encoded(split, _name(kinds[label], row[label]), _take(row[image], split))


def _name(kind: Any, value: Any) -> str | None:
    if value is None or value == -1:  # how the library says that nobody knows
        return None
    return str(kind.int2str(value) if hasattr(kind, "int2str") else value)


def _take(image: Any, split: str) -> bytes:
    if image is None:
        raise DataError(f"An image of the split {split} is empty.")
    content = image["bytes"]
    return Path(image["path"]).read_bytes() if content is None else bytes(content)
