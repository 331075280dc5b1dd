"""Arrays and text in one file of the safetensors format, which many tools read.

Eight bytes with the length of the header, the header in JSON, the arrays' bytes in its
order. Written from memory as it lies there: NumPy's `.npz` copies and sums up each
array once more, which takes twice the time.

Reference:
    https://github.com/huggingface/safetensors, "Format".
"""

import io
import json
import math
import os
from collections.abc import Iterator, Mapping
from itertools import accumulate
from pathlib import Path
from typing import Any, BinaryIO, TypedDict

import numpy as np
import numpy.typing as npt

from experiments.records import parse_json
from experiments.shapes import Count, conform

_LENGTH_BYTES = 8
_METADATA = "__metadata__"
_MOST_HEADER_BYTES = 100_000_000  # as the format has it
_MOST_DIMENSIONS = 64  # as NumPy has it
_CODES = {
    "bool": "BOOL",
    "bfloat16": "BF16",
    **{f"float{bits}": f"F{bits}" for bits in (16, 32, 64)},
    **{f"int{bits}": f"I{bits}" for bits in (8, 16, 32, 64)},
    **{f"uint{bits}": f"U{bits}" for bits in (8, 16, 32, 64)},
}
_NAMES = {code: name for name, code in _CODES.items()}


def iterate_bytes(
    arrays: Mapping[str, npt.NDArray[Any]], metadata: Mapping[str, str]
) -> Iterator[Any]:
    """Yields the content of a file, part by part.

    Args:
        arrays: Of any shape; the types that Keras has for variables.
        metadata: Any text.
    """
    ends = [0, *accumulate(array.nbytes for array in arrays.values())]
    header: dict[str, Any] = {_METADATA: dict(metadata)}
    for (name, array), begin, end in zip(arrays.items(), ends, ends[1:], strict=False):
        header[name] = {
            "dtype": _CODES[array.dtype.name],
            "shape": list(array.shape),
            "data_offsets": [begin, end],
        }
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % _LENGTH_BYTES)  # the arrays begin aligned
    yield len(text).to_bytes(_LENGTH_BYTES, "little") + text
    for array in arrays.values():
        yield np.ascontiguousarray(array).reshape(-1).view(np.uint8).data


def parse_bytes(content: bytes) -> tuple[dict[str, Any], dict[str, str]]:
    """Returns the arrays and the text of a whole file; the arrays are read-only.

    Raises:
        ValueError: The content is of another format, or its header does not describe
            it: the arrays must follow each other and fill the rest of the file.
    """
    start, metadata, entries = _parse_header(io.BytesIO(content), len(content))
    arrays = {}
    for name, entry in entries.items():
        begin, end = entry["data_offsets"]
        raw = np.frombuffer(content, np.uint8, end - begin, start + begin)
        array = raw.view(np.dtype(_NAMES[entry["dtype"]]))
        arrays[name] = array.reshape(entry["shape"])
    return arrays, metadata


def map_arrays(path: Path) -> dict[str, npt.NDArray[Any]]:
    """Returns the arrays of a file, read-only; each is read as it is used.

    Args:
        path: Of any writer: without text of its own too.

    Raises:
        ValueError: See `parse_bytes`.
    """
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        start, _, entries = _parse_header(file, size, own=False)
    content = np.memmap(path, np.uint8, "r")
    return {
        name: content[slice(*(start + at for at in entry["data_offsets"]))]
        .view(np.dtype(_NAMES[entry["dtype"]]))
        .reshape(entry["shape"])
        for name, entry in entries.items()
    }


def read_metadata(file: BinaryIO) -> dict[str, str]:
    """Reads the text of an open file without its arrays.

    Raises:
        ValueError: See `parse_bytes`.
    """
    return _parse_header(file, os.fstat(file.fileno()).st_size)[1]


class _Entry(TypedDict):
    dtype: str
    shape: list[Count]
    data_offsets: list[Count]


def _parse_header(
    file: Any, size: int, *, own: bool = True
) -> tuple[int, dict[str, str], dict[str, _Entry]]:
    """Returns where the arrays begin, the text, and what is said of each array.

    Other writers may leave out the text, and name the arrays in another order.
    """
    length = int.from_bytes(file.read(_LENGTH_BYTES), "little")
    start = _LENGTH_BYTES + length
    if start > size or length > _MOST_HEADER_BYTES:
        raise ValueError(f"a header of {length:,} bytes does not fit the file")
    header = conform(parse_json(file.read(length)), dict[str, Any])
    metadata = conform(
        header.pop(_METADATA, None if own else {}), dict[str, str], _METADATA
    )
    entries: dict[str, _Entry] = conform(header, dict[str, _Entry])
    end = 0
    order = list(entries.items())
    if not own:
        order.sort(key=lambda pair: pair[1]["data_offsets"])
    for name, entry in order:
        end = _check_entry(name, entry, begin=end)
    if start + end != size:
        raise ValueError(f"it has {size:,} bytes and describes {start + end:,}")
    return start, metadata, entries


def _check_entry(name: str, entry: _Entry, *, begin: int) -> int:
    """Returns where an array ends."""
    if entry["dtype"] not in _NAMES:
        raise ValueError(f"{name!r} has an unknown type: {entry['dtype']!r:.50}")
    # Of Python's integers, which do not overflow.
    items = math.prod(entry["shape"])
    end = begin + items * np.dtype(_NAMES[entry["dtype"]]).itemsize
    if entry["data_offsets"] != [begin, end] or len(entry["shape"]) > _MOST_DIMENSIONS:
        raise ValueError(f"{name!r} is not where its type and shape say")
    return end
