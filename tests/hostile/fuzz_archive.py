"""Fuzzes the reader of published data sets.

python tests/hostile/fuzz_archive.py -max_total_time=600
"""

import gzip
import io
import pickle
import shutil
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.hostile.fuzzing import fuzz, instrumented

with instrumented():
    from experiments.data.arrays import archive_files
    from experiments.errors import DataError

_PLACE = Path(tempfile.mkdtemp(prefix="fuzz-archive-"))
# The first byte of an input says which file the rest is.
_NAMES = (
    *("data.bin", "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte", "train"),
    *("data_batch_1", "test_batch"),
)
_BATCHES = [f"data_batch_{number}" for number in range(1, 6)]


def read(data: bytes) -> None:
    """Reads a file, or a folder of good files in which one was replaced."""
    name = _NAMES[data[0] % len(_NAMES)] if data else _NAMES[0]
    content = data[1:]
    if name == "data.bin":
        path = _PLACE / name
        path.write_bytes(content)
    else:
        path = _PLACE / f"folder-{name}"
        if not path.exists():
            path.mkdir()
            for other, whole in _folder_of(name).items():
                (path / other).write_bytes(whole)
        (path / name).write_bytes(content)
    arrays = archive_files.read_archive(path)
    for array in arrays:
        if not isinstance(array, np.ndarray):
            raise TypeError(f"no array: {type(array)}")


def good() -> Iterator[bytes]:
    """Yields one whole input of each kind."""
    arrays = {
        "x_train": np.zeros((2, 4, 4), np.uint8),
        "y_train": np.arange(2),
        "x_test": np.zeros((1, 4, 4), np.uint8),
        "y_test": np.zeros(1, np.int64),
    }
    for save in (np.savez, np.savez_compressed):
        stream = io.BytesIO()
        save(stream, **arrays)
        yield b"\0" + stream.getvalue()
    for mode in ("w", "w:gz"):
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode=mode) as tar:
            for name, whole in _folder_of("data_batch_1").items():
                member = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
                member.size = len(whole)
                tar.addfile(member, io.BytesIO(whole))
        yield b"\0" + stream.getvalue()
    for number, name in enumerate(_NAMES[1:], start=1):
        yield bytes([number]) + _folder_of(name)[name]
    # As Python 2 wrote the published files.
    yield bytes([4]) + pickle.dumps(_batch(), protocol=2)


def _folder_of(name: str) -> dict[str, bytes]:
    if name.startswith("train-"):
        images = b"\0\0\x08\x03" + np.array([2, 4, 4], ">i4").tobytes() + bytes(32)
        labels = b"\0\0\x08\x01" + np.array([2], ">i4").tobytes() + b"\0\1"
        return {
            "train-images-idx3-ubyte.gz": gzip.compress(images, mtime=0),
            "train-labels-idx1-ubyte": labels,
            "t10k-images-idx3-ubyte": images,
            "t10k-labels-idx1-ubyte": labels,
        }
    batch = pickle.dumps(_batch(), protocol=2)
    names = ["train", "test"] if name == "train" else [*_BATCHES, "test_batch"]
    return dict.fromkeys(names, batch)


def _batch() -> dict[bytes, object]:
    images = np.zeros((1, 3072), np.uint8)
    return {b"data": images, b"labels": [3], b"fine_labels": [3]}


if __name__ == "__main__":
    try:
        fuzz(read, good(), allowed=(DataError,))
    finally:
        shutil.rmtree(_PLACE)
