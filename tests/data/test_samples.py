from pathlib import Path

import numpy as np

from experiments.data.samples import digest_samples, name_samples
from experiments.data.split import ArraySplit, FileSplit


def test_file_is_named_by_its_path_in_the_folder_of_the_data_set(
    tmp_path: Path,
) -> None:
    root = str(tmp_path)
    names = ("cat/a.jpg", f"dog{root}/b.jpg")
    split = FileSplit(
        paths=tuple(f"{root}/{name}" for name in names),
        labels=np.array([0, 1], np.int32),
        digests=("1", "2"),
        root=root,
    )
    assert name_samples(split) == list(names)
    assert digest_samples(split) == ["1", "2"]


def test_image_in_memory_is_told_by_its_pixels_and_shape() -> None:
    images = np.arange(3 * 4, dtype=np.uint8).reshape(3, 2, 2, 1)
    images[2] = images[0]
    labels = np.zeros(3, np.int32)
    split = ArraySplit(images, labels)
    first, second, third = digest_samples(split)
    assert name_samples(split) == ["0", "1", "2"]
    assert first == third != second
    reshaped = ArraySplit(images.reshape(3, 4, 1, 1), labels)
    assert digest_samples(reshaped)[0] != first


def test_image_in_memory_is_named_by_its_number_in_the_data_set() -> None:
    images = np.zeros((4, 2, 2, 1), np.uint8)
    whole = ArraySplit(images, np.array([0, 1, 0, 1], np.int32))
    part = whole.select(np.array([3, 1]))
    assert name_samples(part) == ["3", "1"]
    assert name_samples(part.select(np.array([1]))) == ["1"]
    assert part.labels.tolist() == [1, 1]
