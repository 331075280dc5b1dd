import numpy as np
import pytest

from experiments.data.normalization import measure_mean_and_std
from experiments.data.split import ArraySplit, FileSplit
from tests.data.pictures import encode, photograph


def test_all_images_in_memory_are_measured_in_units_of_one():
    images = np.random.RandomState(0).randint(0, 256, (2500, 4, 3, 3)).astype(np.uint8)
    split = ArraySplit(images, np.zeros(2500, np.int32))

    mean, std = measure_mean_and_std(split, (4, 3, 3))

    assert mean == pytest.approx((images / 255).mean(axis=(0, 1, 2)))
    assert std == pytest.approx((images / 255).std(axis=(0, 1, 2)))


def test_a_channel_without_variation_has_deviation_one():
    split = ArraySplit(np.full((2, 3, 3, 1), 51, np.uint8), np.zeros(2, np.int32))

    mean, std = measure_mean_and_std(split, (3, 3, 1))

    assert mean == pytest.approx([0.2])
    assert std == (1.0,)


def test_files_are_measured_as_they_are_decoded(tmp_path):
    picture = photograph(30, 30)
    for number in range(3):
        (tmp_path / f"{number}.png").write_bytes(encode(picture, "PNG"))
    paths = tuple(str(tmp_path / f"{number}.png") for number in range(3))
    split = FileSplit(paths, np.zeros(3, np.int32), ("", "", ""))

    mean, _ = measure_mean_and_std(split, (30, 30, 3))

    assert mean == pytest.approx((np.asarray(picture) / 255).mean(axis=(0, 1)))
