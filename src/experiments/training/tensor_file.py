"""Arrays and text in one file of the safetensors format, which many tools read.

Eight bytes with the length of the header, the header in JSON, the arrays' bytes in its
order. Written from memory as it lies there: NumPy's `.npz` copies and sums up each
array once more, which takes twice the time.

Reference:
    https://github.com/huggingface/safetensors, "Format".
"""

import json
from collections.abc import Iterator, Mapping
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

_LENGTH_BYTES = 8
_METADATA = "__metadata__"
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
        ValueError: The content is of another format.
    """
    size = _LENGTH_BYTES + int.from_bytes(content[:_LENGTH_BYTES], "little")
    header = json.loads(content[_LENGTH_BYTES:size])
    metadata = header.pop(_METADATA)
    arrays = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        raw = np.frombuffer(content, np.uint8, end - begin, size + begin)
        array = raw.view(np.dtype(_NAMES[entry["dtype"]]))
        arrays[name] = array.reshape(entry["shape"])
    return arrays, metadata


def read_metadata(path: Path) -> dict[str, str]:
    """Reads the text of a file without its arrays."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(_LENGTH_BYTES), "little")
        return json.loads(file.read(length))[_METADATA]
