import json
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from experiments.training.checkpoints.tensor_file import (
    iterate_bytes,
    map_arrays,
    parse_bytes,
    read_metadata,
)

TYPES = ["float32", "float16", "float64", "int64", "uint32", "int8", "bool", "bfloat16"]


def test_header_is_that_of_the_format() -> None:
    content = b"".join(iterate_bytes({"a": np.arange(3, dtype="int16")}, {"k": "v"}))

    length = int.from_bytes(content[:8], "little")
    text = content[8 : 8 + length].decode()
    assert length % 8 == 0
    assert text.rstrip() == (
        '{"__metadata__": {"k": "v"}, '
        '"a": {"dtype": "I16", "shape": [3], "data_offsets": [0, 6]}}'
    )
    assert content[8 + length :] == bytes([0, 0, 1, 0, 2, 0])


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (0, 4)])
def test_array_comes_back_as_it_was(dtype: str, shape: tuple[int, ...]) -> None:
    kind = ml_dtypes.bfloat16 if dtype == "bfloat16" else dtype
    count = int(np.prod(shape))
    # An odd neighbour leaves the array behind it unaligned.
    arrays = {
        "odd": np.ones(3, "int8"),
        "a": np.arange(count).reshape(shape).astype(kind),
    }

    loaded, _ = parse_bytes(b"".join(iterate_bytes(arrays, {})))

    assert loaded["a"].dtype == arrays["a"].dtype
    np.testing.assert_array_equal(loaded["a"], arrays["a"], strict=True)


def test_array_that_is_not_contiguous_comes_back() -> None:
    array = np.arange(6.0).reshape(2, 3).T

    loaded, _ = parse_bytes(b"".join(iterate_bytes({"a": array}, {})))

    np.testing.assert_array_equal(loaded["a"], array)


def test_arrays_of_another_writer_are_read_where_they_lie(tmp_path: Path) -> None:
    """Its header has no text, and does not go by the arrays' order."""
    one, two = np.arange(3, dtype="float32"), np.arange(4, dtype="int8").reshape(2, 2)
    places = {
        "two": {"dtype": "I8", "shape": [2, 2], "data_offsets": [12, 16]},
        "one": {"dtype": "F32", "shape": [3], "data_offsets": [0, 12]},
    }
    header = json.dumps(places).encode()
    length = len(header).to_bytes(8, "little")
    path = tmp_path / "file"
    path.write_bytes(length + header + one.tobytes() + two.tobytes())
    loaded = map_arrays(path)
    np.testing.assert_array_equal(loaded["one"], one)
    np.testing.assert_array_equal(loaded["two"], two)
    with pytest.raises(ValueError, match="read-only"):
        loaded["one"][0] = 1


def test_text_is_read_without_the_arrays(tmp_path: Path) -> None:
    path = tmp_path / "file"
    content = b"".join(iterate_bytes({"a": np.zeros(9)}, {"facts": "é"}))
    path.write_bytes(content)

    with path.open("rb") as file:
        assert read_metadata(file) == {"facts": "é"}
        assert file.tell() == len(content) - 72


def write(header: Any, data: bytes = b"", length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (length or len(text)).to_bytes(8, "little") + text + data


META: dict[str, Any] = {"__metadata__": {"facts": "x"}}


def entry(
    dtype: Any = "F32", shape: Any = (2,), offsets: Any = (0, 8)
) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


DAMAGED = {
    "nothing": b"",
    "a part of the length": b"abc",
    "a length beyond the file": write({}, length=10**6),
    "the largest length": b"\xff" * 8,
    "a header of terabytes": (2**42).to_bytes(8, "little"),
    "no JSON": write(b"{", b"12345678"),
    "a deep nest": write(b"[" * 10**6),
    "not UTF-8": write(b'{"\xff": 1}'),
    "a list": write([]),
    "no text": write({"a": entry()}, bytes(8)),
    "a text that is a list": write({"__metadata__": []}),
    "a text of numbers": write({"__metadata__": {"facts": 1}}),
    "an array twice": write(
        b'{"__metadata__": {}, "a": {"dtype": "U8", "shape": [1], "data_offsets": '
        b'[0, 1]}, "a": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]}}',
        bytes(1),
    ),
    "an array that is a list": write({**META, "a": []}),
    "no type": write({**META, "a": {"shape": [2], "data_offsets": [0, 8]}}, bytes(8)),
    "another type": write({**META, "a": entry(dtype="F128")}, bytes(8)),
    "a type that is a list": write({**META, "a": entry(dtype=["F32"])}, bytes(8)),
    "objects": write({**META, "a": entry(dtype="object")}, bytes(8)),
    "a shape of 10^12": write({**META, "a": entry(shape=[10**6, 10**6])}, bytes(8)),
    "10^12 bytes": write(
        {**META, "a": entry(dtype="U8", shape=[10**12], offsets=[0, 10**12])}, bytes(8)
    ),
    "a shape that overflows": write(
        {**META, "a": entry(shape=[2**62, 2**62, 4], offsets=[0, 0])}
    ),
    "a negative size": write({**META, "a": entry(shape=[-2])}, bytes(8)),
    "a size that is no integer": write({**META, "a": entry(shape=[2.0])}, bytes(8)),
    "100 dimensions": write({**META, "a": entry(shape=[1] * 99 + [2])}, bytes(8)),
    "an offset beyond the file": write({**META, "a": entry(offsets=[8, 16])}, bytes(8)),
    "a negative offset": write({**META, "a": entry(offsets=[-8, 0])}, bytes(8)),
    "one offset": write({**META, "a": entry(offsets=[0])}, bytes(8)),
    "offsets the other way": write({**META, "a": entry(offsets=[8, 0])}, bytes(8)),
    "a gap": write({**META, "a": entry(), "b": entry(offsets=[9, 17])}, bytes(17)),
    "two in one place": write({**META, "a": entry(), "b": entry()}, bytes(8)),
    "two in one place, and a gap": write(
        {**META, "a": entry(), "b": entry()}, bytes(16)
    ),
    "another order": write(
        {**META, "a": entry(offsets=[8, 16]), "b": entry()}, bytes(16)
    ),
    "too few bytes": write({**META, "a": entry()}, bytes(7)),
    "bytes behind the end": write({**META, "a": entry()}, bytes(9)),
}


@pytest.mark.timeout(20)
@pytest.mark.parametrize("damage", DAMAGED)
def test_header_that_does_not_describe_the_file_is_refused(damage: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        parse_bytes(DAMAGED[damage])


def test_smallest_files_are_read() -> None:
    assert parse_bytes(write(META)) == ({}, {"facts": "x"})
    arrays, _ = parse_bytes(write({**META, "a": entry()}, bytes(8)))
    assert arrays["a"].tolist() == [0, 0]


@pytest.mark.timeout(20)
def test_file_of_terabytes_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(write({**META, "a": entry()}, bytes(8)))
    with path.open("rb+") as file:
        file.truncate(10**12)

    with path.open("rb") as file, pytest.raises(ValueError, match="it has 1,000,000"):
        read_metadata(file)
