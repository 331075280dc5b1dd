"""Arrays of an .npz file: their headers are believed only after they were checked."""

import io
import math
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np
import numpy.typing as npt
from numpy.lib import format as npy

from experiments.data.arrays.bounded import check_size
from experiments.errors import DataError

# NumPy's own headers take 128 bytes; it refuses longer ones than 10,000.
_HEADER_BYTES = 2**14
_READ_BYTES = 2**20
_MOST_AXES = 4
_SUFFIX = ".npy"


def read_npz(path: Path, names: Sequence[str]) -> list[npt.NDArray[Any]]:
    """Returns the arrays of these names; no pickled objects.

    Raises:
        DataError: One is missing, holds objects, has other bytes than its header says,
            or all are larger than an archive may be; half a sentence.
        Exception: Whatever a damaged file makes of `zipfile` and NumPy.
    """
    with zipfile.ZipFile(path) as stored:
        members = {m.removesuffix(_SUFFIX): m for m in stored.namelist()}
        missing = [name for name in names if name not in members]
        if missing:
            raise DataError(
                f"lacks the arrays {', '.join(missing)}. Received: {_some(members)}."
            )
        arrays = []
        for name in names:
            with stored.open(members[name]) as member:
                arrays.append(_read_array(member, name))
            check_size(sum(array.nbytes for array in arrays), "its arrays")
        return arrays


def _some(names: Sequence[str] | dict[str, str]) -> str:
    listed = [repr(name)[1:-1] for name in list(names)[:8]]
    return ", ".join(listed) + (", ..." if len(names) > 8 else "") or "no array"


def _read_array(member: IO[bytes], name: str) -> npt.NDArray[Any]:
    head = io.BytesIO(member.read(_HEADER_BYTES))
    try:
        old = npy.read_magic(head) == (1, 0)
        read = npy.read_array_header_1_0 if old else npy.read_array_header_2_0
        shape, columns_first, dtype = read(head)
    except Exception as error:  # NumPy parses it as Python
        raise DataError(
            f"has an array {name} without a header. Save it anew."
        ) from error
    if dtype.hasobject:
        raise DataError(
            f"has an array {name} of Python objects, which are not read: they may run "
            "code. Save an array of integers."
        )
    if dtype.names or len(shape) > _MOST_AXES or min(shape, default=0) < 0:
        raise DataError(
            f"has an array {name} that is none of images or labels. Save images as "
            "(N, H, W) or (N, H, W, C), labels as (N,)."
        )
    size = math.prod(shape) * dtype.itemsize
    declared = f"{name}, which declares {dtype} of shape {shape}"
    check_size(size, declared)
    content = bytearray(head.read())
    while len(content) <= size and (more := member.read(_READ_BYTES)):
        content += more
    if len(content) != size:
        amount = "more" if len(content) > size else "less"
        raise DataError(f"has an array {declared}, and {amount} data. Save it anew.")
    order: Literal["C", "F"] = "F" if columns_first else "C"
    return np.ndarray(shape, dtype, content, order=order)
