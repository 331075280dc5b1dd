import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from experiments.training.checkpoints.tensor_file import iterate_bytes
from experiments.weights import source
from experiments.weights.faults import WeightsError
from experiments.weights.preprocessing import PREPROCESSINGS
from experiments.weights.source import read_weights
from tests.models.conftest import build_small
from tests.weights.torch_writer import name_as_torch, save, save_legacy


@pytest.fixture(scope="module")
def arrays():
    return name_as_torch(build_small("block=bottleneck", "width=16", "stem=imagenet"))


def save_tensors(path: Path, arrays) -> None:
    """Writes as the `safetensors` package does, whose files have no text."""
    content = b"".join(bytes(part) for part in iterate_bytes(arrays, {}))
    size = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + size])
    del header["__metadata__"]
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + content[8 + size :])


@pytest.mark.parametrize("write", [save, save_legacy, save_tensors])
def test_file_of_pytorch_tells_network_and_preprocessing(
    tmp_path: Path, arrays, write
) -> None:
    path = tmp_path / "resnet.safetensors"
    write(path, arrays)
    weights = read_weights(path)
    assert weights.name == "resnet.safetensors"
    assert weights.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert weights.preprocessing == PREPROCESSINGS["torch"]
    assert weights.variant == "v1_5"
    kernel = weights.layers["conv1_conv"]["kernel"]
    np.testing.assert_array_equal(kernel, arrays["conv1.weight"].transpose(2, 3, 1, 0))


def test_names_of_keras_are_taken_from_safetensors(tmp_path: Path) -> None:
    path = tmp_path / "own.safetensors"
    save_tensors(path, {"net/first/kernel": np.zeros(999), "last.bias": np.zeros(2)})
    layers = read_weights(path).layers
    assert {name: list(found) for name, found in layers.items()} == {
        "first": ["kernel"],
        "last": ["bias"],
    }


PAGE = b"<!DOCTYPE html>\n<html><body>Log in first" + bytes(2000)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (PAGE, "a page of the web, which came instead of the file"),
        (b"version https://git-lfs.github.com/spec/v1" + bytes(2000), "Git LFS"),
        (b"x" * 200, "has 200 bytes, and no network's weights have"),
        (b"", "has 0 bytes"),
        (b"\x93NUMPY" + bytes(2000), "it begins with b'\\x93NUMPY"),
        (b"PK\x03\x04" + bytes(2000), "is a damaged archive"),
        (b"\x89HDF\r\n\x1a\n" + bytes(2000), "is damaged"),
    ],
)
def test_what_is_no_file_of_weights_is_told(
    tmp_path: Path, content: bytes, told: str
) -> None:
    path = tmp_path / "resnet18.pth"
    path.write_bytes(content)
    with pytest.raises(WeightsError) as caught:
        read_weights(path)
    assert str(caught.value).startswith("resnet18.pth ")
    assert told in str(caught.value)


def test_damaged_tensors_and_states_of_trainings_are_told(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes((5000).to_bytes(8, "little") + b"{}" + bytes(1000))
    with pytest.raises(WeightsError, match="is a damaged safetensors file"):
        read_weights(path)
    save_tensors(path, {"model/00000/conv1/kernel": np.zeros(1000)})
    with pytest.raises(WeightsError, match=r"model\.weights=run:"):
        read_weights(path)


def test_what_is_there_is_a_plain_file_of_a_sensible_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in (tmp_path, tmp_path / "absent.pth", Path("/dev/zero")):
        with pytest.raises(WeightsError, match=r"is (no file|not there)"):
            read_weights(path)
    monkeypatch.setattr(source, "MOST_BYTES", 1500)
    (tmp_path / "large.pth").write_bytes(bytes(2000))
    with pytest.raises(WeightsError, match="no network's weights have"):
        read_weights(tmp_path / "large.pth")
