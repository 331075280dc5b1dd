import contextlib
import io
import os
import pickle
import random
from pathlib import Path
from typing import Any

import pytest

from experiments.weights.faults import WeightsError
from experiments.weights.pickled import Storage, Tensor, read_pickle
from tests.weights.torch_writer import (
    integer,
    mapping,
    pickled,
    storage,
    tensor,
    text,
)


def read(content: bytes) -> Any:
    return read_pickle(io.BytesIO(content))


ONE = pickled(mapping({"w": tensor(storage("Half", "7", 6), shape=(2, 3), offset=0)}))


def test_tensor_is_told_as_it_is_written() -> None:
    told = Tensor(Storage("float16", "7", 6), 0, (2, 3), (3, 1))
    assert read(ONE) == {"w": told}


def test_parameter_is_its_tensor() -> None:
    inside = tensor(storage("Float", "0", 1), shape=(1,))
    given = b"ctorch._utils\n_rebuild_parameter\n(" + inside + b"\x88}tR"
    assert read(pickled(given)).shape == (1,)


@pytest.mark.parametrize("protocol", range(2, 6))
def test_plain_data_is_what_python_reads(protocol: int) -> None:
    plain = {"epoch": 3, "loss": 0.5, "name": "ä", "shape": [1, 2], "best": None}
    assert read(pickle.dumps(plain, protocol)) == plain


def test_file_stands_behind_the_pickle() -> None:
    file = io.BytesIO(ONE + b"rest")
    read_pickle(file)
    assert file.read() == b"rest"


class Command:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.system, (f"touch {self.path}",)


@pytest.mark.parametrize("protocol", range(6))
def test_command_is_not_run(tmp_path: Path, protocol: int) -> None:
    content = pickle.dumps({"w": Command(tmp_path / "harm")}, protocol)
    with pytest.raises(WeightsError, match=r"system|holds more than tensors"):
        read(content)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "content",
    [
        b"(S'true'\nios\nsystem\n.",  # INST
        b"(cos\nsystem\nS'true'\no.",  # OBJ
        b"\x82\x01.",  # EXT1
        b"\x80\x02cbuiltins\neval\n" + text("1") + b"\x85R.",
        b"\x80\x02ctorch\nload\n" + text("x") + b"\x85R.",
        b"\x80\x02ccollections\nOrderedDict\n)\x81.",  # NEWOBJ
        b"\x80\x04" + text("os") + text("system") + b"\x93.",
        b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n}b.",  # BUILD on a name
    ],
)
def test_nothing_is_made_that_is_no_tensor(content: bytes) -> None:
    with pytest.raises(WeightsError):
        read(content)


def test_refusal_says_what_is_named_and_how_to_save_instead() -> None:
    with pytest.raises(WeightsError) as caught:
        read(b"\x80\x02cargparse\nNamespace\n)R.")
    assert str(caught.value) == (
        "it names argparse.Namespace, and nothing that a file names is run here. Save "
        "the weights alone, with PyTorch: torch.save(model.state_dict(), ...)"
    )


@pytest.mark.parametrize(
    "content",
    [
        b"\x80\x02X\xff\xff\xff\x7f" + b"a" * 10 + b".",  # 2 GB of text
        b"\x80\x04\x8d" + (2**40).to_bytes(8, "little") + b"a.",
        b"\x80\x02" + b"(" * 10 + b".",
        b"\x80\x02\x85.",
        b"\x80\x02N",
        b"",
        pickled(tensor(storage("Float", "0", 4), shape=(-1,), strides=(1,))),
        pickled(tensor(storage("Float", "0", 4), shape=(2,), strides=(1, 1))),
        pickled(mapping({"w": b"("}) + b"u"),
        pickled(b"}" + b"(" + b"]" + integer(1) + b"u"),  # a list as a key
    ],
)
def test_what_is_damaged_is_told(content: bytes) -> None:
    with pytest.raises(WeightsError):
        read(content)


def test_far_place_of_the_memory_costs_nothing() -> None:
    """Python's own reader in C would take 64 GB."""
    assert read(b"\x80\x02Nr\xff\xff\xff\xff.") is None


class Endless(io.RawIOBase):
    """Zeros behind a beginning, as a large file has them; counts what is asked for."""

    def __init__(self, beginning: bytes) -> None:
        self.beginning, self.asked = io.BytesIO(beginning), 0

    def read(self, size: int = -1) -> bytes:
        self.asked += size
        assert 0 <= size <= 10**6
        return self.beginning.read(size).ljust(size, b"\0")

    def readline(self, size: int | None = -1) -> bytes:
        return self.read(-1 if size is None else size)  # no line ends


@pytest.mark.parametrize(
    "beginning",
    [
        b"\x80\x02X\xff\xff\xff\x7f",  # 2 GB of text
        b"\x80\x04\x8d" + (2**40).to_bytes(8, "little"),
        b"\x80\x02I",  # a number as text, without an end
        (b"\x80\x02" + b"X\x40\x42\x0f\x00" + b"a" * 10**6) * 100,  # 1 MB each
    ],
)
def test_no_more_is_read_than_a_table_can_take(beginning: bytes) -> None:
    file: Any = Endless(beginning)
    with pytest.raises(WeightsError):
        read_pickle(file)
    assert file.asked < 10**8


def test_cut_anywhere_it_is_a_damaged_file() -> None:
    for end in range(len(ONE)):
        with pytest.raises(WeightsError):
            read(ONE[:end])


def test_whatever_is_changed_the_answer_is_data_or_a_sentence() -> None:
    draw = random.Random(0)
    for _ in range(3000):
        content = bytearray(ONE)
        for _ in range(draw.randint(1, 4)):
            content[draw.randrange(len(content))] = draw.randrange(256)
        with contextlib.suppress(WeightsError):
            read(bytes(content))
