import pytest

from experiments.search.results.columns import Column, collect_columns, format_value
from experiments.search.trials.trial import Proposal, Trial


def test_numbers_over_more_than_one_and_a_half_decades_are_logarithmic():
    assert Column("lr", [9e-5, 5e-4, 7e-4, 4.4e-3]).is_wide
    rates = Column("lr", [1e-4, 1e-2, None, 1e-1, 1.0])
    assert rates.is_wide
    assert rates.numbers(logarithmic=True) == [-4, -2, None, -1, 0]


@pytest.mark.parametrize(
    "values",
    [
        [],
        [None],
        [1, 20, 30, 30],
        [1, 2, 3, 31],
        [0.0, 1e-9, 1e-3, 1.0],
        [-1, 1, 10, 1000],
        ["a", 1, 10, 1000],
        [True, 2, 10, 1000],
    ],
)
def test_other_values_are_not_logarithmic(values):
    assert not Column("x", values).is_wide


def test_truth_is_a_category_and_not_the_number_one():
    assert Column("x", [True, False, None, True]).categories == ["false", "true"]
    assert not Column("x", [True]).is_number
    assert not Column("x", [float("inf")]).is_number


def test_columns_come_in_the_order_in_which_they_appear():
    points = [{"lr": 0.1}, {"momentum": 0.9, "lr": 0.2}]
    proposals = [Proposal(number=n, values=values) for n, values in enumerate(points)]
    columns = collect_columns([Trial(proposal=proposal) for proposal in proposals])
    assert columns == [Column("lr", [0.1, 0.2]), Column("momentum", [None, 0.9])]


def test_values_are_written_with_full_precision_and_truth_as_in_yaml():
    assert [format_value(v) for v in (1 / 3, True, 7, "adam")] == [
        "0.3333333333333333",
        "true",
        "7",
        "adam",
    ]
