"""Files of PyTorch's `torch.save`, read without PyTorch.

Today's are a zip archive of a pickle and of each storage's bytes; those of before 1.6,
as many that torchvision publishes, are several pickles and the bytes behind them.

Reference:
    https://pytorch.org/docs/stable/notes/serialization.html and `_legacy_save` of
    `torch/serialization.py` for the older form.
"""

import io
import math
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from experiments.weights.faults import WeightsError
from experiments.weights.pickled import MOST_BYTES, Storage, Tensor, read_pickle

ZIP_START = b"PK\x03\x04"
LEGACY_START = (
    b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."  # pickled 0x1950a86a20f9469cfc6c
)
_MOST_DIMENSIONS = 8
_HEADER_BYTES = 30  # of an entry of a zip archive, before its name
_WRAPPERS = ("state_dict", "model")  # keys under which trainings keep their weights
_PREFIX = "module."  # of what was trained in parallel

Bytes = Mapping[str, npt.NDArray[np.uint8]]


def read_torch_file(path: Path) -> dict[str, npt.NDArray[Any]]:
    """Reads the tensors of a file by PyTorch's names.

    Args:
        path: Begins with `ZIP_START` or `LEGACY_START`.

    Returns:
        Read-only arrays, which are read from the disk as they are used.

    Raises:
        WeightsError: It is damaged, or holds more than tensors; the sentence goes on
            behind the file's name.
    """
    with path.open("rb") as file:
        is_archive = file.read(len(ZIP_START)) == ZIP_START
        file.seek(0)
        content = np.memmap(path, np.uint8, "r")
        if is_archive:
            value, storages = _read_archive(file, content)
        else:
            value, storages = _read_legacy(file, content)
    tensors = _find_tensors(value)
    return {name: _view(tensor, storages) for name, tensor in tensors.items()}


def _read_archive(file: BinaryIO, content: npt.NDArray[np.uint8]) -> tuple[Any, Bytes]:
    try:
        with zipfile.ZipFile(file) as archive:
            entries = {entry.filename: entry for entry in archive.infolist()}
            tables = [name for name in entries if name.endswith("/data.pkl")]
            if len(tables) != 1:
                raise WeightsError("is a zip archive, but none of PyTorch")
            folder = tables[0].removesuffix("data.pkl")
            found = {
                name.removeprefix(folder): _locate(entry, content)
                for name, entry in entries.items()
                if name.startswith(folder) and not entry.is_dir()
            }
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise WeightsError(f"is a damaged archive ({error})") from error
    if found.get("byteorder", np.zeros(0, np.uint8)).tobytes()[:3] == b"big":
        raise WeightsError("was written by a machine of another byte order")
    if found["data.pkl"].nbytes > MOST_BYTES:
        raise WeightsError("has a table of tensors that is too large to be one")
    value = read_pickle(io.BytesIO(found["data.pkl"].tobytes()))
    storages = {
        name.removeprefix("data/"): part
        for name, part in found.items()
        if name.startswith("data/")
    }
    return value, storages


def _locate(
    entry: zipfile.ZipInfo, content: npt.NDArray[np.uint8]
) -> npt.NDArray[np.uint8]:
    """Returns the bytes of an entry where they lie in the file."""
    if entry.compress_type != zipfile.ZIP_STORED or entry.flag_bits & 1:
        raise WeightsError("is compressed or encrypted, as PyTorch writes no file")
    start = entry.header_offset
    header = content[start : start + _HEADER_BYTES].tobytes()
    if len(header) < _HEADER_BYTES or not header.startswith(ZIP_START):
        raise WeightsError("is a damaged archive (an entry is not where it says)")
    lengths = int.from_bytes(header[26:28], "little"), header[28:30]
    start += _HEADER_BYTES + lengths[0] + int.from_bytes(lengths[1], "little")
    if start + entry.file_size > content.size:
        raise WeightsError("is a damaged archive (an entry goes beyond its end)")
    return content[start : start + entry.file_size]


def _read_legacy(file: BinaryIO, content: npt.NDArray[np.uint8]) -> tuple[Any, Bytes]:
    _, _, system, value, keys = (read_pickle(file) for _ in range(5))
    if not isinstance(system, dict) or system.get("little_endian") is not True:
        raise WeightsError("was written by a machine of another byte order")
    sizes = {s.key: s for s in _list_storages(_find_tensors(value))}
    storages: dict[str, npt.NDArray[np.uint8]] = {}
    start = file.tell()
    for key in keys if isinstance(keys, list) else ():
        storage = sizes.get(key) if isinstance(key, str) else None
        if storage is None:
            raise WeightsError("is damaged (it holds numbers of no tensor)")
        count = int.from_bytes(content[start : start + 8].tobytes(), "little")
        size = count * np.dtype(storage.dtype).itemsize
        start += 8
        if count != storage.size or start + size > content.size:
            raise WeightsError("is damaged or not whole: it ends within its numbers")
        storages[key] = content[start : start + size]
        start += size
    return value, storages


def _find_tensors(value: Any) -> dict[str, Tensor]:
    """Returns the tensors of a mapping, or of the one that a training has put it in."""
    for key in _WRAPPERS:
        if isinstance(value, dict) and isinstance(value.get(key), dict):
            value = value[key]
    named = value.items() if isinstance(value, dict) else ()
    found = {k: v for k, v in named if isinstance(k, str) and isinstance(v, Tensor)}
    if not found:
        raise WeightsError("holds no tensors by name: save model.state_dict() alone")
    if all(name.startswith(_PREFIX) for name in found):
        found = {name.removeprefix(_PREFIX): v for name, v in found.items()}
    return found


def _list_storages(tensors: Mapping[str, Tensor]) -> list[Storage]:
    return [tensor.storage for tensor in tensors.values()]


def _view(tensor: Tensor, storages: Bytes) -> npt.NDArray[Any]:
    """Returns a tensor's numbers, after a look at whether they lie in its storage."""
    dtype, size = np.dtype(tensor.storage.dtype), tensor.storage.size
    content = storages.get(tensor.storage.key)
    count = math.prod(tensor.shape)
    reach = sum((n - 1) * s for n, s in zip(tensor.shape, tensor.strides, strict=True))
    if (
        content is None
        or content.nbytes != size * dtype.itemsize
        or count > size
        or (count and tensor.offset + reach >= size)
        or len(tensor.shape) > _MOST_DIMENSIONS
    ):
        raise WeightsError("is damaged (a tensor lies outside of its numbers)")
    strides = [stride * dtype.itemsize for stride in tensor.strides]
    start = tensor.offset * dtype.itemsize if count else 0
    array = np.ndarray(tensor.shape, dtype, content.data, start, strides)
    array.flags.writeable = False
    return array
