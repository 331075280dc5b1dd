"""Reads the files in which MNIST and CIFAR are published, and runs no code in them."""

import gzip
import io
import pickle
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from experiments.errors import DataError

_KINDS = (
    "an .npz file with x_train, y_train, x_test and y_test, CIFAR's .tar.gz or "
    "extracted folder, or a folder of IDX files"
)


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
            return _read_members({p.name: p.read_bytes for p in _files(path)})
        if zipfile.is_zipfile(path):
            return _read_npz(path)
        if tarfile.is_tarfile(path):
            return _read_tar(path)
    except DataError as error:
        raise DataError(f"{path} {error}") from error
    except (OSError, EOFError, ValueError, KeyError, pickle.UnpicklingError) as error:
        raise DataError(f"{path} is damaged: {error}.") from error
    except (zlib.error, tarfile.TarError, zipfile.BadZipFile) as error:
        raise DataError(f"{path} is damaged: {error}.") from error
    raise DataError(f"{path} must be {_KINDS}.")


def _files(folder: Path) -> list[Path]:
    return [p for p in folder.rglob("*") if p.is_file()]


def _read_npz(path: Path) -> Arrays:
    with np.load(path, allow_pickle=False) as stored:
        missing = [name for name in Arrays._fields if name not in stored]
        if missing:
            raise DataError(
                f"lacks the arrays {', '.join(missing)}. Received: {', '.join(stored)}."
            )
        return Arrays(*(stored[name] for name in Arrays._fields))


def _read_tar(path: Path) -> Arrays:
    # Members are read by name and never written, so that no path can escape.
    with tarfile.open(path) as tar:
        files = {m.name.rpartition("/")[2]: m for m in tar if m.isfile()}

        def reader(member: tarfile.TarInfo) -> Callable[[], bytes]:
            def read() -> bytes:
                file = tar.extractfile(member)
                return b"" if file is None else file.read()

            return read

        return _read_members({name: reader(m) for name, m in files.items()})


def _read_members(files: Mapping[str, Callable[[], bytes]]) -> Arrays:
    """Reads CIFAR or IDX files by their published names."""
    batches = [f"data_batch_{i}" for i in range(1, 6)]
    if batches[0] in files:
        return _read_cifar(files, batches, "test_batch", b"labels")
    if "train" in files and "test" in files:
        return _read_cifar(files, ["train"], "test", b"fine_labels")
    if any(name.startswith("train-images") for name in files):
        return Arrays(
            _read_idx(files, "train-images"),
            _read_idx(files, "train-labels"),
            _read_idx(files, "t10k-images"),
            _read_idx(files, "t10k-labels"),
        )
    raise DataError(f"must be {_KINDS}.")


def _read_cifar(
    files: Mapping[str, Callable[[], bytes]],
    train: list[str],
    test: str,
    labels_key: bytes,
) -> Arrays:
    missing = [name for name in [*train, test] if name not in files]
    if missing:
        raise DataError(f"lacks {', '.join(missing)}.")
    parts = [_ArrayUnpickler.load_bytes(files[name]()) for name in [*train, test]]
    # Stored as planes: red, green, blue.
    images = [
        np.asarray(p[b"data"]).reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
        for p in parts
    ]
    labels = [np.asarray(p[labels_key]) for p in parts]
    return Arrays(
        np.concatenate(images[:-1]), np.concatenate(labels[:-1]), images[-1], labels[-1]
    )


def _read_idx(
    files: Mapping[str, Callable[[], bytes]], start: str
) -> npt.NDArray[np.uint8]:
    """Returns the array of the IDX file whose name begins with `start`."""
    found = [name for name in sorted(files) if name.startswith(start)]
    if not found:
        raise DataError(f"lacks {start}-idx*-ubyte.gz.")
    content = files[found[0]]()
    if content.startswith(b"\x1f\x8b"):
        content = gzip.decompress(content)
    if content[:3] != b"\x00\x00\x08":
        raise DataError(f"has a file {found[0]} that is no IDX file of bytes.")
    rank = content[3]
    shape = np.frombuffer(content, ">i4", rank, offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * rank).reshape(shape)


class _ArrayUnpickler(pickle.Unpickler):
    """Reads pickled arrays, and refuses to call anything else a pickle may name."""

    @classmethod
    def load_bytes(cls, content: bytes) -> Any:
        """Returns the object; texts written by Python 2 stay bytes."""
        return cls(io.BytesIO(content), encoding="bytes").load()

    def find_class(self, module: str, name: str) -> Any:
        """Returns one of the few functions that rebuild an array."""
        package = module.replace("numpy._core", "numpy.core")
        if (package, name) == ("numpy.core.multiarray", "_reconstruct"):
            return _reconstruct
        if (package, name) == ("numpy", "ndarray"):
            return np.ndarray
        if (package, name) == ("numpy", "dtype"):
            return _make_dtype
        if (package, name) == ("_codecs", "encode"):
            return _encode
        raise pickle.UnpicklingError(f"it asks to call {module}.{name}")


def _reconstruct(kind: type, shape: Any, code: Any) -> Any:
    return np.ndarray.__new__(kind, shape, code)


def _make_dtype(code: Any, align: int, copy: int) -> Any:
    # Old pickles say 0 and 1; numpy wants bool now.
    text = code.decode("ascii") if isinstance(code, bytes) else code
    return np.dtype(text, bool(align), bool(copy))


def _encode(text: str, encoding: str) -> bytes:
    return text.encode(encoding)
