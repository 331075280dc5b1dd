import numpy as np
import pytest

from experiments.data.pipeline import memory
from experiments.data.pipeline.memory import keep_in_memory
from experiments.data.split import ArraySplit, FileSplit
from tests.data.pictures import encode, photograph


@pytest.fixture
def files(tmp_path):
    for number in range(3):
        picture = photograph(20 + number, 20)
        (tmp_path / f"{number}.png").write_bytes(encode(picture, "PNG"))
    paths = tuple(str(tmp_path / f"{number}.png") for number in range(3))
    return FileSplit(paths, np.arange(3, dtype=np.int32), ("a", "b", "c"))


def keep(split, cache, crops=False):
    return keep_in_memory(
        split, image_shape=(8, 8, 3), cache=cache, crops=crops, threads=2
    )


@pytest.mark.parametrize(
    ("cache", "crops", "kept"),
    [
        ("none", False, False),
        ("auto", False, True),
        ("auto", True, False),
        ("memory", True, True),
    ],
)
def test_files_are_kept_when_asked_or_when_it_changes_no_image(
    files, cache, crops, kept
):
    split = keep(files, cache, crops)

    assert isinstance(split, ArraySplit) == kept


def test_kept_files_are_in_their_order_and_shape(files):
    split = keep(files, "memory")

    assert split.images.shape == (3, 8, 8, 3)
    assert split.labels.tolist() == [0, 1, 2]


@pytest.mark.parametrize(("cache", "kept"), [("auto", False), ("memory", True)])
def test_a_split_above_the_limit_is_kept_only_when_asked(
    files, monkeypatch, cache, kept
):
    monkeypatch.setattr(memory, "AUTO_LIMIT_BYTES", 3 * 8 * 8 * 3 - 1)

    assert isinstance(keep(files, cache), ArraySplit) == kept


def test_images_of_the_right_shape_are_left_alone():
    split = ArraySplit(np.zeros((2, 8, 8, 3), np.uint8), np.zeros(2, np.int32))

    assert keep(split, "memory") is split
