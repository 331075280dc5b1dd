"""Reads the files in which MNIST and CIFAR are published, and runs no code in them."""

import bz2
import gzip
import io
import tarfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

import numpy as np
import numpy.typing as npt

from experiments.data.arrays.array_pickle import load_arrays
from experiments.data.arrays.bounded import read_bounded
from experiments.data.arrays.idx import parse_idx
from experiments.data.arrays.npz import read_npz
from experiments.data.arrays.published import (
    ARRAYS,
    CIFAR10_TEST,
    CIFAR10_TRAIN,
    CIFAR100_TEST,
    CIFAR100_TRAIN,
    IDX,
    KINDS,
    MOST_FILES,
    kind_of,
    list_missing,
)
from experiments.errors import DataError

_GZIP, _BZIP = b"\x1f\x8b", b"BZh"
_CIFAR_BYTES = 3 * 32 * 32


class Arrays(NamedTuple):
    """Images and labels of the published training and test set."""

    x_train: npt.NDArray[Any]
    y_train: npt.NDArray[Any]
    x_test: npt.NDArray[Any]
    y_test: npt.NDArray[Any]


def read_archive(path: Path) -> Arrays:
    """Reads a file or folder, whichever of the known kinds it is.

    Args:
        path: An .npz file, CIFAR's archive or extracted folder ("python version"), or
            a folder of IDX files, compressed or not. It exists.

    Raises:
        DataError: It is of no known kind, incomplete or damaged.
    """
    try:
        if path.is_dir():
            return _read_members(_files(path))
        if path.is_file() and zipfile.is_zipfile(path):
            return Arrays(*read_npz(path, ARRAYS))
        if path.is_file():
            return _read_tar(path)
    except DataError as error:
        raise DataError(f"{path} {error}") from error
    except MemoryError:
        raise
    except Exception as error:  # whatever the readers stumble over in damaged files
        reason = str(error).rstrip(".") or type(error).__name__
        raise DataError(f"{path} is damaged: {reason}. It must be {KINDS}.") from error
    raise DataError(f"{path} must be {KINDS}.")


def _files(folder: Path) -> dict[str, Callable[[], bytes]]:
    """Returns the name of each file below a folder, and what reads it."""

    def reader(path: Path) -> Callable[[], bytes]:
        def read() -> bytes:
            with path.open("rb") as file:
                return read_bounded(file, path.name)

        return read

    found = list(islice(folder.rglob("*"), MOST_FILES + 1))
    if len(found) > MOST_FILES:
        raise DataError(f"holds more than {MOST_FILES:,} files. It must be {KINDS}.")
    return {p.name: reader(p) for p in sorted(found) if p.is_file()}


def _read_tar(path: Path) -> Arrays:
    """Reads the members by name, of a file that is unpacked within bounds first.

    Nothing is written, so that no member's path can escape.
    """
    with _open_tar(path) as packed:
        content = read_bounded(packed, "its files")
    if not tarfile.is_tarfile(io.BytesIO(content)):
        raise DataError(f"must be {KINDS}.")
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as tar:
        members = list(islice(tar, MOST_FILES + 1))
        if len(members) > MOST_FILES:
            raise DataError(f"holds more than {MOST_FILES:,} files.")
        # Those with holes unfold to more than they take here.
        whole = [m for m in members if m.isfile() and not m.issparse()]
        files = {m.name.rpartition("/")[2]: m for m in whole}

        def reader(member: tarfile.TarInfo) -> Callable[[], bytes]:
            def read() -> bytes:
                file = tar.extractfile(member)
                return b"" if file is None else file.read()

            return read

        return _read_members({name: reader(m) for name, m in files.items()})


def _open_tar(path: Path) -> BinaryIO:
    with path.open("rb") as file:
        start = file.read(len(_BZIP))
    if start.startswith(_GZIP):
        return cast(BinaryIO, gzip.open(path))
    return cast(BinaryIO, bz2.open(path)) if start == _BZIP else path.open("rb")


def _read_members(files: Mapping[str, Callable[[], bytes]]) -> Arrays:
    """Reads CIFAR or IDX files by their published names."""
    kind = kind_of(files)
    if kind is None:
        raise DataError(f"must be {KINDS}.")
    if missing := list_missing(kind, files):
        raise DataError(f"lacks {', '.join(missing)}.")
    if kind == "cifar10":
        return _read_cifar(files, CIFAR10_TRAIN, CIFAR10_TEST, b"labels")
    if kind == "cifar100":
        return _read_cifar(files, [CIFAR100_TRAIN], CIFAR100_TEST, b"fine_labels")
    return Arrays(*(_read_idx(files, start) for start in IDX))


def _read_cifar(
    files: Mapping[str, Callable[[], bytes]],
    train: Sequence[str],
    test: str,
    labels_key: bytes,
) -> Arrays:
    parts = [_read_batch(files[name](), name, labels_key) for name in [*train, test]]
    images = [images for images, _ in parts]
    labels = [labels for _, labels in parts]
    return Arrays(
        np.concatenate(images[:-1]), np.concatenate(labels[:-1]), images[-1], labels[-1]
    )


def _read_batch(
    content: bytes, name: str, labels_key: bytes
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Returns images `(N, 32, 32, 3)` and labels `(N,)` of one of CIFAR's files."""
    try:
        stored = load_arrays(content)
    except Exception as error:  # whatever a damaged pickle makes of the unpickler
        reason = str(error).rstrip(".") or type(error).__name__
        raise DataError(
            f"is damaged: {reason}, in its file {name}. Take the published one."
        ) from error
    data, labels = stored.get(b"data"), stored.get(labels_key)
    if not isinstance(data, np.ndarray) or data.size % _CIFAR_BYTES:
        raise DataError(
            f"has a file {name} without `data`, an array of 3,072 bytes an image."
        )
    # Stored as planes: red, green, blue.
    images = data.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    if (
        not isinstance(labels, list)
        or len(labels) != len(images)
        or any(type(label) is not int or not 0 <= label < 2**31 for label in labels)
    ):
        raise DataError(
            f"has a file {name} without `{labels_key.decode()}`, a list of "
            f"{len(images):,} integers, one for each of its images."
        )
    return images, np.array(labels, np.int64)


def _read_idx(
    files: Mapping[str, Callable[[], bytes]], start: str
) -> npt.NDArray[np.uint8]:
    """Returns the array of the IDX file whose name begins with `start`."""
    found = min(name for name in files if name.startswith(start))
    return parse_idx(files[found](), found)
