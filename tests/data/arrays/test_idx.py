import gzip
import struct
import tracemalloc

import numpy as np
import pytest

from experiments.data.arrays import bounded
from experiments.data.arrays.idx import parse_idx
from experiments.errors import DataError

HEADER = b"\0\0\x08\x02" + struct.pack(">2I", 2, 3)


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_an_array_of_bytes_is_read(pack):
    array = parse_idx(pack(HEADER + bytes(range(6))), "images")

    np.testing.assert_array_equal(array, [[0, 1, 2], [3, 4, 5]])


@pytest.mark.parametrize("count", [5, 7])
def test_other_bytes_than_declared_are_told(count):
    told = f"a file images that declares 2 x 3 bytes and holds {count}"
    with pytest.raises(DataError, match=told):
        parse_idx(HEADER + bytes(count), "images")


def test_minus_one_is_no_length_to_be_found_out():
    header = HEADER[:4] + b"\xff" * 4 + HEADER[8:]

    with pytest.raises(DataError, match="more than 536,870,912 bytes in images"):
        parse_idx(header + bytes(6), "images")


def test_it_is_unpacked_no_further_than_an_archive_may_be(monkeypatch):
    monkeypatch.setattr(bounded, "MOST_BYTES", 100)

    packed = gzip.compress(bytes(10**8))
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match="more than 100 bytes in images"):
            parse_idx(packed, "images")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 10**6
