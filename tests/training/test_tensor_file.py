from pathlib import Path

import ml_dtypes
import numpy as np
import pytest

from experiments.training.tensor_file import iterate_bytes, parse_bytes, read_metadata

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


def test_text_is_read_without_the_arrays(tmp_path: Path) -> None:
    path = tmp_path / "file"
    content = b"".join(iterate_bytes({"a": np.zeros(9)}, {"facts": "é"}))
    path.write_bytes(content[:-72])

    assert read_metadata(path) == {"facts": "é"}
