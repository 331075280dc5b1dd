import numpy as np
import pytest
import sklearn.datasets

from experiments.data.datasets.digits import load_digits


def load(**changes):
    arguments = {
        "image_size": None,
        "mean": None,
        "std": None,
        "validation_fraction": 0.15,
        "test_fraction": 0.15,
        "split_seed": 0,
        "cache": "auto",
        "decode_threads": None,
    }
    return load_digits(**{**arguments, **changes})


@pytest.fixture(scope="module")
def digits():
    return load()


def test_the_splits_are_70_15_15_percent_of_1797_images(digits):
    counts = {name: len(split) for name, split in digits.splits.items()}

    assert counts == {"train": 1258, "validation": 269, "test": 270}


def test_every_digit_has_its_share_of_each_split(digits):
    for split in digits.splits.values():
        shares = np.bincount(split.labels) / len(split)
        assert abs(shares - 0.1).max() < 0.01


def test_no_image_is_in_two_splits_and_none_is_lost(digits):
    raw = sklearn.datasets.load_digits().images
    expected = sorted(np.round(image * 255 / 16).tobytes() for image in raw)

    found = sorted(
        image.astype(float).tobytes()
        for split in digits.splits.values()
        for image in split.images[..., 0]
    )

    assert found == expected


def test_the_darkest_and_brightest_level_are_0_and_255(digits):
    assert digits.train.images.dtype == np.uint8
    assert (digits.train.images.min(), digits.train.images.max()) == (0, 255)


def test_mean_and_deviation_are_those_of_the_training_images(digits):
    pixels = digits.train.images / 255

    assert digits.mean == pytest.approx([pixels.mean()])
    assert digits.std == pytest.approx([pixels.std()])


def test_the_data_set_says_what_it_is(digits):
    assert digits.image_shape == (8, 8, 1)
    assert digits.class_names == tuple("0123456789")
    assert digits.num_classes == 10


def test_the_same_split_seed_gives_the_same_fingerprint(digits):
    assert load().fingerprint == digits.fingerprint


def test_another_split_seed_changes_the_split_and_not_the_content(digits):
    other = load(split_seed=1).fingerprint

    assert other.content == digits.fingerprint.content
    assert other.split != digits.fingerprint.split


def test_a_larger_size_is_what_the_pipeline_shall_deliver():
    assert load(image_size=32).image_shape == (32, 32, 1)
