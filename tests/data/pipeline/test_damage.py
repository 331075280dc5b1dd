from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from experiments.data.normalization import measure_mean_and_std
from experiments.data.pipeline.damage import find_damaged_files, naming_damaged_files
from experiments.data.pipeline.memory import keep_in_memory
from experiments.data.pipeline.pipeline import build_pipeline
from experiments.data.split import ArraySplit, FileSplit
from experiments.errors import DataError
from tests.data.pictures import encode, photograph


def test_the_file_that_stopped_the_pipeline_is_named(tmp_path):
    content = encode(photograph(), "PNG")
    for number in range(4):
        (tmp_path / f"{number}.png").write_bytes(content)
    paths = tuple(str(tmp_path / f"{number}.png") for number in range(4))
    split = FileSplit(paths, np.zeros(4, np.int32), ("",) * 4)
    (tmp_path / "2.png").write_bytes(content[:2000] + bytes(100) + content[2100:])
    pipeline = build_pipeline(
        split,
        image_shape=(8, 8, 3),
        batch_size=2,
        seed=0,
        shuffle=False,
        epochs=1,
        drop_remainder=False,
        cache="none",
    )

    with pytest.raises(tf.errors.InvalidArgumentError):
        list(pipeline)

    (damaged,) = find_damaged_files(split)
    assert damaged.path == paths[2]
    assert damaged.reason == (
        "is damaged: it does not decode (the checksum of IDAT is wrong)"
    )


def test_images_in_memory_have_no_files():
    split = ArraySplit(np.zeros((1, 2, 2, 1), np.uint8), np.zeros(1, np.int32))

    assert find_damaged_files(split) == ()


@pytest.fixture
def split(tmp_path):
    content = encode(photograph(), "PNG")
    paths = tuple(str(tmp_path / f"{number}.png") for number in range(4))
    for number, path in enumerate(paths):
        broken = content[:2000] + bytes(100) + content[2100:]
        Path(path).write_bytes(broken if number == 2 else content)
    return FileSplit(paths, np.zeros(4, np.int32), ("",) * 4)


def read_batches(split, cache, *, batch_size):
    """Lets a pipeline decode every image once."""
    list(
        build_pipeline(
            split,
            image_shape=(8, 8, 3),
            batch_size=batch_size,
            seed=0,
            shuffle=False,
            epochs=1,
            drop_remainder=False,
            cache=cache,
        )
    )


@pytest.mark.parametrize("cache", ["none", "auto", "memory"])
def test_a_pipeline_names_the_file_wherever_it_decodes(split, cache):
    named = r"1 image file .*/2\.png is damaged"
    with pytest.raises(DataError, match=named), naming_damaged_files(split):
        read_batches(split, cache, batch_size=2)


@pytest.mark.parametrize("cache", ["auto", "memory"])
def test_keeping_images_in_memory_names_the_file_by_itself(split, cache):
    with pytest.raises(DataError, match=r"/2\.png is damaged"):
        keep_in_memory(
            split, image_shape=(8, 8, 3), cache=cache, crops=False, threads=2
        )


def test_measuring_mean_and_deviation_names_the_file(split):
    with pytest.raises(DataError, match=r"/2\.png is damaged"):
        measure_mean_and_std(split, (8, 8, 3))


def test_a_file_that_is_gone_by_now_is_named(split):
    Path(split.paths[1]).unlink()
    gone = r"/1\.png cannot be read \(No such file"
    with pytest.raises(DataError, match=gone), naming_damaged_files(split):
        list(tf.data.Dataset.from_tensors(split.paths[1]).map(tf.io.read_file))


def test_another_failure_is_left_alone(tmp_path):
    content = encode(photograph(), "PNG")
    (tmp_path / "0.png").write_bytes(content)
    good = FileSplit((str(tmp_path / "0.png"),), np.zeros(1, np.int32), ("",))

    with pytest.raises(tf.errors.InvalidArgumentError), naming_damaged_files(good):
        tf.reshape(tf.zeros(3), (2, 2))


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
@pytest.mark.parametrize("cache", ["none", "memory"])
def test_an_image_above_the_limit_is_named_where_it_would_be_decoded(
    tmp_path, kind, cache
):
    path = tmp_path / "large"
    path.write_bytes(encode(photograph(), kind))
    split = FileSplit((str(path),), np.zeros(1, np.int32), ("",), max_pixels=2399)

    named = r"/large has 2,400 pixels, more than dataset\.max_pixels \(2,399\)"
    with pytest.raises(DataError, match=named), naming_damaged_files(split):
        read_batches(split, cache, batch_size=1)


def test_a_file_that_decodes_with_a_warning_is_not_blamed(tmp_path):
    content = encode(photograph(200, 200), "JPEG")
    path = tmp_path / "half.jpg"
    path.write_bytes(content[: len(content) // 2] + b"\xff\xd9")
    split = FileSplit((str(path),), np.zeros(1, np.int32), ("",))

    assert find_damaged_files(split) == ()
