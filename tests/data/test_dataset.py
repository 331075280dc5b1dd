import numpy as np
import pytest

from experiments.data.dataset import ArraySplit, FileSplit, build_dataset
from experiments.errors import DataError


def split_of(*labels):
    images = np.random.RandomState(len(labels)).randint(0, 256, (len(labels), 4, 4, 3))
    return ArraySplit(images.astype(np.uint8), np.array(labels, np.int32))


def build(**changes):
    arguments = {
        "name": "own",
        "class_names": ["a", "b"],
        "image_shape": (4, 4, 3),
        "train": split_of(0, 1, 0, 1),
        "validation": split_of(0, 1),
    }
    return build_dataset(**{**arguments, **changes})


def test_a_data_set_needs_no_more_than_its_splits():
    data = build()

    assert data.test is None
    assert list(data.splits) == ["train", "validation"]
    assert (data.cache, data.decode_threads) == ("auto", None)
    assert len(data.mean) == len(data.std) == 3


def test_given_mean_and_deviation_are_kept():
    data = build(mean=[0.1, 0.2, 0.3], std=[0.4, 0.5, 0.6])

    assert data.mean == (0.1, 0.2, 0.3)
    assert data.std == (0.4, 0.5, 0.6)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"train": split_of()}, "train split of `own` has no images"),
        ({"train": split_of(0, 1, 2)}, r"must lie in 0\.\.1.*Received: 0\.\.2"),
        ({"validation": split_of(0, 1, -1)}, r"validation split.*Received: -1\.\.1"),
        ({"test": split_of(1, 1)}, "test split of `own` has no image of 1 .* a. Add"),
        ({"mean": [0.5]}, "dataset.mean must have 3 numbers"),
        ({"std": [0.5, 0.5]}, "dataset.std must have 3 numbers"),
    ],
)
def test_contradictions_are_refused(changes, message):
    with pytest.raises(DataError, match=message):
        build(**changes)


def test_images_must_be_bytes():
    with pytest.raises(DataError, match=r"uint8 .* Received: float64"):
        ArraySplit(np.zeros((2, 4, 4, 3)), np.zeros(2, np.int32))


def test_labels_must_be_as_many_as_images():
    with pytest.raises(DataError, match=r"shape \(3,\) for 2 images"):
        ArraySplit(np.zeros((2, 4, 4, 3), np.uint8), np.zeros(3, np.int32))


def test_labels_must_be_integers():
    with pytest.raises(DataError, match="float64 labels"):
        ArraySplit(np.zeros((2, 4, 4, 3), np.uint8), np.zeros(2))


def test_a_column_of_labels_is_accepted():
    split = ArraySplit(np.zeros((2, 4, 4, 3), np.uint8), np.array([[3], [4]], np.int64))

    assert split.labels.tolist() == [3, 4]
    assert split.labels.dtype == np.int32


def test_every_file_has_a_digest():
    with pytest.raises(DataError, match="1 digest for 2 files"):
        FileSplit(("a", "b"), np.zeros(2, np.int32), ("x",))
