"""Every image is tested by exactly one job, and decides nothing there."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as some

from experiments.data.folds import Fold, Pool, as_fold, choose_fold_splits
from experiments.errors import DataError


def make_pool(labels, *ties, seed=0):
    return Pool(
        names=[f"{number}.jpg" for number in range(len(labels))],
        labels=labels,
        ties=ties,
        class_names=[f"class {number}" for number in range(max(labels) + 1)],
        seed=seed,
    )


def choose_all(pool, folds, validation_fraction=0.2):
    """Returns fold -> the split of each image."""
    return {
        number: choose_fold_splits(
            pool, Fold(number, folds), validation_fraction=validation_fraction
        )
        for number in range(1, folds + 1)
    }


@settings(max_examples=50, deadline=None)
@given(
    images=some.lists(
        some.tuples(some.integers(0, 2), some.integers(0, 20)), min_size=12, max_size=70
    ),
    folds=some.integers(2, 5),
    seed=some.integers(0, 2**32 - 1),
)
def test_each_image_is_tested_once_and_groups_are_whole_in_every_job(
    images, folds, seed
):
    labels = [label for label, _ in images]
    groups = [group for _, group in images]
    pool = make_pool(labels, groups, seed=seed)
    try:
        chosen = choose_all(pool, folds)
    except DataError:
        assume(False)  # too few groups of a class

    for image in range(len(labels)):
        assert [chosen[n][image] for n in chosen].count("test") == 1
    for splits in chosen.values():
        assert set(splits) == {"train", "validation", "test"}
        found = set(zip(groups, splits, strict=True))
        assert len(found) == len(set(groups))
        for split in ("train", "validation", "test"):
            held = {n for n, s in zip(labels, splits, strict=True) if s == split}
            assert held == set(range(max(labels) + 1))


def test_validation_has_its_share_of_what_is_left_in_every_class():
    labels = [0] * 100 + [1] * 50
    for splits in choose_all(make_pool(labels), 5, validation_fraction=0.25).values():
        table = np.array(splits)
        counts = {
            split: np.bincount(np.array(labels)[table == split]).tolist()
            for split in ("train", "validation", "test")
        }
        assert counts == {"train": [60, 30], "validation": [20, 10], "test": [20, 10]}


def test_folds_do_not_depend_on_the_share_of_validation():
    pool = make_pool([0, 1] * 20)
    first, second = (choose_all(pool, 4, share) for share in (0.1, 0.4))

    def tests(chosen):
        return [[s == "test" for s in splits] for splits in chosen.values()]

    assert tests(first) == tests(second)


@pytest.mark.parametrize(
    ("labels", "folds", "words"),
    [
        (
            [0] * 9 + [1] * 4,
            5,
            "dataset.folds must be at most 4: class 1 has 4 images, and every fold "
            "needs one of each class. Received: 5. Take fewer folds, or add images.",
        ),
        (
            [0] * 9 + [1] * 2,
            3,
            "dataset.folds needs at least 3 images of each class, and class 1 has 2 "
            "images. Received: 3. Add images, or leave the class out.",
        ),
        (
            [0] * 9 + [1] * 3,
            2,
            "dataset.folds needs at least 4 images of each class, and class 1 has 3 "
            "images. Received: 2. Add images, or leave the class out.",
        ),
    ],
)
def test_class_of_too_few_images_is_told_with_the_folds_that_it_allows(
    labels, folds, words
):
    with pytest.raises(DataError) as caught:
        choose_all(make_pool(labels), folds)

    assert str(caught.value) == words


def test_groups_count_rather_than_images():
    images = range(60)
    groups = [*range(30), *([99] * 30)]
    with pytest.raises(DataError, match=r"class 1 has 1 group\. "):
        choose_all(make_pool([0] * 30 + [1] * 30, images, groups), 3)
    with pytest.raises(DataError, match=r"class 1 has 1 different image\. "):
        choose_all(make_pool([0] * 30 + [1] * 30, groups), 3)


@pytest.mark.parametrize("folds", [3, 4, 5])
def test_as_many_folds_as_images_of_a_class_are_enough(folds):
    chosen = choose_all(make_pool([0] * 20 + [1] * folds), folds)

    assert all("validation" in splits[20:] for splits in chosen.values())


@pytest.mark.parametrize(
    ("folds", "fold"), [(5, None), (None, 2), (5, 6), (5, 0), (1, 1)]
)
def test_numbers_that_do_not_fit_each_other_are_refused(folds, fold):
    with pytest.raises(DataError, match=r"dataset\.fold must be 1 to dataset\.folds"):
        as_fold(folds, fold)


def test_without_folds_there_is_none():
    assert as_fold(None, None) is None
    assert as_fold(5, 5) == Fold(5, 5)
