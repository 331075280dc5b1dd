import numpy as np
import pytest

from experiments.data.division import choose_splits, split_stratified
from experiments.errors import DataError

LABELS = np.repeat(np.arange(4), [100, 50, 20, 10]).astype(np.int32)


def test_every_index_is_in_exactly_one_part():
    parts = split_stratified(LABELS, (0.1, 0.2), seed=0)

    assert np.sort(np.concatenate(parts)).tolist() == list(range(180))


def test_every_class_has_the_same_share_of_each_part():
    parts = split_stratified(LABELS, (0.1, 0.2), seed=0)

    counts = [np.bincount(LABELS[part]).tolist() for part in parts]
    assert counts == [[70, 35, 14, 7], [10, 5, 2, 1], [20, 10, 4, 2]]


def test_the_division_is_fixed_for_all_time():
    _, held_out = split_stratified(np.zeros(20, np.int32), (0.25,), seed=0)

    assert held_out.tolist() == [1, 8, 10, 18, 19]


def test_another_seed_divides_otherwise():
    first, second = (split_stratified(LABELS, (0.2,), seed=s)[1] for s in (0, 1))

    assert first.tolist() != second.tolist()


def test_a_class_too_small_for_a_part_is_named():
    with pytest.raises(DataError, match=r"Class 1 has 50 images, too few .*0\.01"):
        split_stratified(LABELS, (0.01,), seed=0)


def choose(name, **changes):
    arguments = {"validation_fraction": 0.2, "test_fraction": 0.1, "seed": 0}
    return choose_splits([name], [0], **{**arguments, **changes})[0]


def test_the_shares_are_near_the_fractions():
    chosen = [choose(f"cat/{number}.jpg") for number in range(10_000)]

    assert chosen.count("test") == pytest.approx(1000, abs=120)
    assert chosen.count("validation") == pytest.approx(2000, abs=160)


def test_a_larger_validation_fraction_takes_from_training_only():
    names = [f"cat/{number}.jpg" for number in range(500)]

    for name in names:
        if choose(name) != "train":
            assert choose(name, validation_fraction=0.4) == choose(name)


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("cat/0.jpg", "train"),
        ("cat/1.jpg", "train"),
        ("cat/5.jpg", "validation"),
        ("cat/8.jpg", "test"),
    ],
)
def test_the_choice_is_fixed_for_all_time(name, split):
    assert choose(name) == split
