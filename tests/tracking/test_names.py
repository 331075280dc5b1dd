import pytest

from experiments.tracking.names import differing_names

GRID = [
    ["model=resnet18", "optimizer.lr=0.001", "seed=1"],
    ["model=resnet18", "optimizer.lr=0.0001", "seed=1"],
    ["model=resnet50", "optimizer.lr=0.001", "seed=1"],
]


def test_only_what_differs_is_named():
    assert differing_names(GRID) == [
        "model=resnet18 lr=0.001",
        "model=resnet18 lr=0.0001",
        "model=resnet50 lr=0.001",
    ]


def test_key_is_written_out_where_its_last_word_is_ambiguous():
    jobs = [["a.lr=1", "b.lr=2"], ["a.lr=3", "b.lr=4"]]
    assert differing_names(jobs) == ["a.lr=1 b.lr=2", "a.lr=3 b.lr=4"]


def test_absent_key_counts_as_the_default():
    assert differing_names([["seed=1"], []]) == ["seed=1", "seed=default"]


def test_last_value_of_a_key_counts():
    assert differing_names([["seed=1", "seed=2"], ["seed=3"]]) == ["seed=2", "seed=3"]


def test_added_and_removed_keys_are_named():
    assert differing_names([["+tags.a=1"], ["~tags.a"]]) == ["a=1", "a=removed"]


def test_equal_jobs_are_numbered():
    assert differing_names([["seed=1"], ["seed=1"]]) == ["job #1", "job #2"]


def test_value_may_hold_an_equals_sign():
    assert differing_names([["a=b=c"], ["a=d"]]) == ["a=b=c", "a=d"]


def test_no_jobs_have_no_names():
    assert differing_names([]) == []


@pytest.mark.parametrize("length", [200, 5000])
def test_long_names_are_short_and_distinct(length):
    names = differing_names([["a=" + "x" * length + "1"], ["a=" + "x" * length + "2"]])
    assert len(set(names)) == 2
    assert max(map(len, names)) < 130
