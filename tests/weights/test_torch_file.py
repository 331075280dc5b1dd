import zipfile
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest

from experiments.weights import torch_file
from experiments.weights.faults import WeightsError
from experiments.weights.torch_file import read_torch_file
from tests.weights.downloads import find_mobilenet
from tests.weights.torch_writer import (
    describe,
    mapping,
    pickled,
    save,
    save_legacy,
    storage,
    tensor,
    text,
    write_archive,
)

ARRAYS = {
    "conv.weight": np.arange(12, dtype="float32").reshape(3, 2, 2, 1),
    "conv.half": np.arange(3, dtype="float16"),
    "bn.num_batches_tracked": np.array(5, "int64"),
    "empty": np.zeros((0, 4), "float64"),
}
WHOLE = np.arange(6, dtype="float32").tobytes()


@pytest.mark.parametrize("write", [save, save_legacy])
def test_arrays_come_back_as_they_were_saved(tmp_path: Path, write) -> None:
    path = tmp_path / "weights.pth"
    write(path, ARRAYS)
    read = read_torch_file(path)
    assert list(read) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert read[name].dtype == array.dtype
        np.testing.assert_array_equal(read[name], array)
        assert not read[name].flags.writeable


def write_one(path: Path, described: bytes, content: bytes = WHOLE) -> Path:
    write_archive(path, pickled(mapping({"w": described})), {"0": content})
    return path


def test_views_of_a_storage_are_what_their_strides_say(tmp_path: Path) -> None:
    stored = storage("Float", "0", 6)
    turned = tensor(stored, shape=(3, 2), strides=(1, 3))
    read = read_torch_file(write_one(tmp_path / "turned.pth", turned))
    np.testing.assert_array_equal(read["w"], [[0, 3], [1, 4], [2, 5]])
    part = tensor(stored, shape=(2,), strides=(2,), offset=3)
    read = read_torch_file(write_one(tmp_path / "part.pth", part))
    np.testing.assert_array_equal(read["w"], [3, 5])


def test_brain_floats_are_read(tmp_path: Path) -> None:
    described = tensor(storage("BFloat16", "0", 2), shape=(2,))
    content = np.array([1.5, -2], ml_dtypes.bfloat16).tobytes()
    read = read_torch_file(write_one(tmp_path / "b.pth", described, content))
    assert read["w"].astype("float32").tolist() == [1.5, -2]


@pytest.mark.parametrize(
    "described",
    [
        tensor(storage("Float", "0", 6), shape=(2, 3), strides=(3, 2)),
        tensor(storage("Float", "0", 6), shape=(2,), offset=5),
        tensor(storage("Float", "0", 6), shape=(100_000, 100_000), strides=(0, 0)),
        tensor(storage("Float", "0", 7), shape=(7,)),
        tensor(storage("Double", "0", 6), shape=(6,)),
        tensor(storage("Float", "1", 6), shape=(6,)),
        tensor(storage("Float", "../data.pkl", 6), shape=(6,)),
        tensor(storage("Float", "0", 6), shape=(1,) * 40),
    ],
)
def test_tensor_outside_of_its_numbers_is_refused(
    tmp_path: Path, described: bytes
) -> None:
    with pytest.raises(WeightsError, match="a tensor lies outside of its numbers"):
        read_torch_file(write_one(tmp_path / "w.pth", described))


@pytest.mark.parametrize("wrapper", ["state_dict", "model"])
def test_weights_are_found_in_what_a_training_saved(
    tmp_path: Path, wrapper: str
) -> None:
    inside = mapping({"module.w": tensor(storage("Float", "0", 6), shape=(6,))})
    table = mapping({"epoch": b"K\x05", wrapper: inside})
    write_archive(tmp_path / "c.pth", pickled(table), {"0": WHOLE})
    assert list(read_torch_file(tmp_path / "c.pth")) == ["w"]


def test_archive_that_would_grow_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.pth"
    table = pickled(mapping({"w": tensor(storage("Float", "0", 6), shape=(6,))}))
    write_archive(path, table, {"0": bytes(10**7)}, zipfile.ZIP_DEFLATED)
    with pytest.raises(WeightsError, match="is compressed or encrypted"):
        read_torch_file(path)


def test_table_beyond_what_tensors_need_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch_file, "MOST_BYTES", 20)
    save(tmp_path / "a.pth", ARRAYS)
    with pytest.raises(WeightsError, match="table of tensors that is too large"):
        read_torch_file(tmp_path / "a.pth")


def test_other_archives_and_other_pickles_are_told(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("picture.png", "x")
    with pytest.raises(WeightsError, match="none of PyTorch"):
        read_torch_file(tmp_path / "a.zip")
    write_archive(tmp_path / "b.pth", pickled(text("word")), {})
    with pytest.raises(WeightsError, match="holds no tensors by name"):
        read_torch_file(tmp_path / "b.pth")


@pytest.mark.parametrize("write", [save, save_legacy])
def test_file_that_was_not_fetched_whole_is_told(tmp_path: Path, write) -> None:
    path = tmp_path / "weights.pth"
    write(path, {"w": np.arange(5000, dtype="float32")})
    content = path.read_bytes()
    for size in (40, 90, 300, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:size])
        with pytest.raises(WeightsError):
            read_torch_file(path)


def test_entry_that_lies_about_its_place_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.pth"
    save(path, {"w": np.arange(6, dtype="float32")})
    content = bytearray(path.read_bytes())
    at = content.rindex(b"weights/data/0") - 46  # its entry of the table at the end
    content[at + 20 : at + 28] = (10**9).to_bytes(4, "little") * 2
    path.write_bytes(content)
    with pytest.raises(WeightsError):
        read_torch_file(path)


def test_another_byte_order_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.pth"
    save(path, ARRAYS)
    path.write_bytes(path.read_bytes().replace(b"little", b"big   "))
    with pytest.raises(WeightsError, match="another byte order"):
        read_torch_file(path)


def test_writer_writes_what_pytorch_does() -> None:
    """As the file of torchvision begins that the last test reads."""
    described = describe({"w": np.zeros((2, 3), "float32")}, legacy=True)
    assert described.startswith(b"ccollections\nOrderedDict\n)R(X\x01\x00\x00\x00w")
    assert b"ctorch._utils\n_rebuild_tensor_v2\n" in described


@pytest.mark.weights
def test_file_of_torchvision_is_read() -> None:
    """MobileNetV2, which a package on the index carries; absent it is not asked for."""
    read = read_torch_file(find_mobilenet())
    assert len(read) == 314
    weights = [a for name, a in read.items() if name.endswith(("weight", "bias"))]
    assert sum(array.size for array in weights) == 3_504_872  # as torchvision tells
    assert all(np.isfinite(array).all() for array in weights)
