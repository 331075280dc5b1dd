"""The format of MNIST's files."""

import gzip
import io
import math

import numpy as np
import numpy.typing as npt

from experiments.data.arrays.bounded import check_size, read_bounded
from experiments.errors import DataError

_GZIP = b"\x1f\x8b"
_BYTES = b"\x00\x00\x08"


def parse_idx(content: bytes, name: str) -> npt.NDArray[np.uint8]:
    """Returns the array of an IDX file of bytes, compressed or not.

    Args:
        content: The file.
        name: The file's name, for errors.

    Raises:
        DataError: It is none, or has other bytes than its header says; half a
            sentence, to follow the folder's name.

    Reference:
        http://yann.lecun.com/exdb/mnist, "the IDX file format".
    """
    if content.startswith(_GZIP):
        with gzip.open(io.BytesIO(content)) as unpacked:
            content = read_bounded(unpacked, name)
    if not content.startswith(_BYTES) or len(content) < 4 + 4 * content[3]:
        raise DataError(f"has a file {name} that is no IDX file of bytes.")
    start = 4 + 4 * content[3]
    shape = np.frombuffer(content[4:start], ">u4").tolist()
    check_size(math.prod(shape), name)
    if not shape or math.prod(shape) != len(content) - start:
        raise DataError(
            f"has a file {name} that declares {_write(shape)} bytes and holds "
            f"{len(content) - start:,}. Take the published file."
        )
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


def _write(shape: list[int]) -> str:
    return " x ".join(f"{length:,}" for length in shape) or "no"
