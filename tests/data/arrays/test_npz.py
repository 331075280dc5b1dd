import io
import tracemalloc
import zipfile

import numpy as np
import pytest

from experiments.data.arrays import bounded
from experiments.data.arrays.npz import read_npz
from experiments.errors import DataError

IMAGES = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)


def write(path, **members):
    with zipfile.ZipFile(path, "w") as file:
        for name, content in members.items():
            file.writestr(f"{name}.npy", content)
    return path


def npy(array):
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


@pytest.mark.parametrize(
    "array",
    [IMAGES, np.asfortranarray(IMAGES), IMAGES.astype(">i8"), IMAGES[:0], np.int8(3)],
)
def test_arrays_come_back_as_numpy_reads_them(tmp_path, array):
    path = write(tmp_path / "a.npz", x=npy(array), y=npy(IMAGES))

    first, second = read_npz(path, ["x", "y"])

    np.testing.assert_array_equal(first, array)
    np.testing.assert_array_equal(second, IMAGES)
    assert first.dtype == array.dtype


def test_missing_arrays_are_told_beside_some_of_those_there(tmp_path):
    path = write(tmp_path / "a.npz", **{f"n{i}": npy(IMAGES) for i in range(9)})

    told = r"lacks the arrays x\. Received: n0, n1, n2, n3, n4, n5, n6, n7, \.\.\."
    with pytest.raises(DataError, match=told):
        read_npz(path, ["x"])


@pytest.mark.parametrize(
    ("change", "amount"), [(lambda c: c[:-1], "less"), (lambda c: c + b"a", "more")]
)
def test_other_data_than_declared_are_told(tmp_path, change, amount):
    path = write(tmp_path / "a.npz", x=change(npy(IMAGES)))

    told = f"array x, which declares uint8 of shape .*, and {amount} data"
    with pytest.raises(DataError, match=told):
        read_npz(path, ["x"])


def test_several_arrays_are_no_larger_than_an_archive_may_be(tmp_path, monkeypatch):
    monkeypatch.setattr(bounded, "MOST_BYTES", 30)
    path = write(tmp_path / "a.npz", x=npy(IMAGES), y=npy(IMAGES))

    read_npz(path, ["x"])
    with pytest.raises(DataError, match="more than 30 bytes in its arrays"):
        read_npz(path, ["x", "y"])


def test_array_of_objects_is_not_read(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, x=np.array([{"a": 1}], object))

    with pytest.raises(DataError, match="x of Python objects, which are not read"):
        read_npz(path, ["x"])


def test_it_is_unpacked_no_further_than_it_declares_and_an_archive_may_be(
    tmp_path, monkeypatch
):
    """Zeros that are a thousand times as large as the file that holds them."""
    monkeypatch.setattr(bounded, "MOST_BYTES", 10**6)
    zeros = np.zeros(10**8, np.uint8)
    behind = npy(zeros[:4]) + zeros.tobytes()
    for name, content in (("behind", behind), ("declared", npy(zeros))):
        with zipfile.ZipFile(tmp_path / name, "w", zipfile.ZIP_DEFLATED) as file:
            file.writestr("x.npy", content)
        del content
    del zeros, behind

    for name, told in (
        ("behind", "and more data"),
        ("declared", r"more than 1,000,000 bytes in x, which declares"),
    ):
        tracemalloc.start()
        try:
            with pytest.raises(DataError, match=told):
                read_npz(tmp_path / name, ["x"])
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < 10**7
