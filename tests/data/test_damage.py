import numpy as np
import pytest
import tensorflow as tf

from experiments.data.damage import find_damaged_files
from experiments.data.pipeline import build_pipeline
from experiments.data.split import ArraySplit, FileSplit
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
    assert damaged.reason == "is damaged: it does not decode"


def test_images_in_memory_have_no_files():
    split = ArraySplit(np.zeros((1, 2, 2, 1), np.uint8), np.zeros(1, np.int32))

    assert find_damaged_files(split) == ()
