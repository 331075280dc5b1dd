import pytest

from experiments.inspection.balance import Balance

COUNTS = {"train": [10, 40, 4], "validation": [2, 2, 2]}


def test_largest_and_smallest_class_are_those_of_the_training() -> None:
    balance = Balance(["a", "b", "c"], COUNTS)
    assert (balance.largest, balance.smallest) == (("b", 40), ("c", 4))
    assert balance.ratio == pytest.approx(10)
    assert balance.describe() == "images a class: train 4 to 40, validation 2"
