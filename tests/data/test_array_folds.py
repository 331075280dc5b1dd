import numpy as np
import pytest
import sklearn.datasets

from experiments.data.array_folds import split_fold
from experiments.data.datasets.digits import load_digits
from experiments.data.folds import Fold
from experiments.data.samples import name_samples
from experiments.data.split import ArraySplit
from experiments.errors import DataError

OPTIONS = {
    "image_size": None,
    "mean": None,
    "std": None,
    "validation_fraction": 0.2,
    "split_seed": 0,
    "cache": "auto",
    "decode_threads": None,
}


def load(fold, folds=4, test_fraction=0.15):
    return load_digits(folds=folds, fold=fold, test_fraction=test_fraction, **OPTIONS)


@pytest.fixture(scope="module")
def digits():
    """The four folds, and the data set without any."""
    return [load(number) for number in range(1, 5)], load(None, folds=None)


def test_all_but_the_test_split_are_tested_once_by_the_folds_of_digits(digits):
    folds, whole = digits
    tested = [name for fold in folds for name in name_samples(fold.test)]
    own = {*name_samples(whole.train), *name_samples(whole.validation)}

    assert len(tested) == len(set(tested)) == 1797 - len(whole.test)
    assert set(tested) == own


def test_test_split_takes_no_part_in_any_fold(digits):
    folds, whole = digits
    held_out = set(name_samples(whole.test))

    for fold in folds:
        for split in fold.splits.values():
            assert not held_out & set(name_samples(split))


def test_name_of_an_image_is_its_number_in_scikit_learns_data(digits):
    raw = sklearn.datasets.load_digits()
    test = digits[0][2].test
    numbers = [int(name) for name in name_samples(test)]

    assert (test.labels == raw.target[numbers]).all()
    assert (test.images[..., 0] == np.round(raw.images[numbers] * (255 / 16))).all()


def test_folds_have_one_content_and_each_its_own_split(digits):
    folds, whole = digits
    assert {fold.fingerprint.content for fold in folds} == {whole.fingerprint.content}
    assert len({fold.fingerprint.split for fold in folds}) == 4


def test_mean_is_measured_on_what_is_trained_on(digits):
    fold = digits[0][1]
    assert fold.mean == pytest.approx([fold.train.images.mean() / 255])


def test_without_a_test_split_every_image_is_tested():
    assert sum(len(load(n, folds=2, test_fraction=0).test) for n in (1, 2)) == 1797


def test_without_folds_and_with_no_share_there_is_no_test_split():
    data = load(None, folds=None, test_fraction=0)
    assert data.test is None
    assert len(data.train) + len(data.validation) == 1797


def test_copies_of_an_image_are_in_one_part_whatever_their_labels():
    images = np.arange(60, dtype=np.uint8).reshape(60, 1, 1, 1)
    images[30:40] = images[:10]  # with the other label
    labels = np.repeat([0, 1], 30).astype(np.int32)
    parts = split_fold(
        ArraySplit(images, labels),
        Fold(2, 3),
        class_names=["a", "b"],
        validation_fraction=0.3,
        seed=0,
    )

    pixels = [set(part.images.ravel().tolist()) for part in parts]
    assert sum(map(len, pixels)) == len(set.union(*pixels)) == 50


def test_class_of_few_images_is_named():
    images = np.arange(20, dtype=np.uint8).reshape(20, 1, 1, 1)
    whole = ArraySplit(images, np.array([0] * 17 + [1] * 3, np.int32))
    with pytest.raises(DataError, match="folds must be at most 3: dog has 3 images"):
        split_fold(
            whole,
            Fold(1, 4),
            class_names=["cat", "dog"],
            validation_fraction=0.3,
            seed=0,
        )
