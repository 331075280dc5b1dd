from pathlib import Path
from typing import Any

import numpy as np
import pytest

from experiments.comparison.contrast import choose_pair, contrast
from experiments.comparison.group import Group
from experiments.comparison.member import Member
from experiments.errors import DataError
from tests.comparison.left import of_right, share
from tests.evaluation.made import make


def row(letter: str, **more: Any) -> Group:
    member = Member(name=f"run {letter}", run_id=f"{ord(letter)}abc", **more)
    return Group(letter=letter, label=f"run {letter}", members=(member,), values={})


A, B, C = (row(letter) for letter in "ABC")


def test_images_are_of_the_row_that_gets_them_right() -> None:
    tables = {"A": [of_right([1, 1, 0, 0, 1])], "B": [of_right([1, 0, 1, 0, 0])]}
    found = contrast(A, B, tables)
    assert {case.sample for case in found.only_first} == {"1", "4"}
    assert [case.sample for case in found.only_second] == ["2"]
    assert found.counts == (2, 1)
    assert found.only_first[0].told == ("class 0", "class 1")


def test_clearest_disagreement_comes_first() -> None:
    outputs = [[1.0, 0.0], [9.0, 0.0], [3.0, 0.0]]
    ours = make(outputs, [0] * 3)
    theirs = make([[0.0, 1.0]] * 3, [0] * 3)
    found = contrast(A, B, {"A": [ours], "B": [theirs]})
    assert [case.sample for case in found.only_first] == ["1", "2", "0"]


def test_of_several_seeds_the_share_counts() -> None:
    ours = [of_right([1, 1, 0]), of_right([1, 0, 0])]
    theirs = [of_right([0, 0, 1]), of_right([0, 0, 0])]
    found = contrast(A, B, {"A": ours, "B": theirs})
    assert [case.sample for case in found.only_first] == ["0", "1"]
    assert found.only_first[1].told == ("class 0, class 1", "class 1")
    assert found.only_second[0].told == ("class 1", "class 0, class 1")


def test_no_more_than_24_a_side_are_listed() -> None:
    tables = {"A": [of_right(share(80))], "B": [of_right(share(10))]}
    found = contrast(A, B, tables)
    assert (len(found.only_first), found.counts) == (24, (70, 0))


def test_images_in_another_order_are_the_same() -> None:
    first = of_right([1, 0, 1, 1])
    moved = of_right([1, 1, 0, 1]).select(np.array([2, 0, 3, 1]))
    found = contrast(A, B, {"A": [first], "B": [moved]})
    assert [(c.sample, *c.told) for c in found.only_first] == [
        ("2", "class 0", "class 1")
    ]
    assert [(c.sample, *c.told) for c in found.only_second] == [
        ("1", "class 1", "class 0")
    ]


def test_best_two_with_predictions_are_shown() -> None:
    rows, tables = [A, B, C], {"A": [], "C": []}
    assert choose_pair(rows, tables, None) == (A, C)
    assert choose_pair(rows, {"C": []}, None) is None


def test_rows_are_named_by_letter_id_name_or_folder() -> None:
    folder = row("D", folder=Path("/x/runs/d-1234"))
    rows, tables = [A, B, folder], {"A": [], "B": [], "D": []}
    assert choose_pair(rows, tables, ["B", "65a"]) == (B, A)
    assert choose_pair(rows, tables, ["run A", "d-1234"]) == (A, folder)


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["A", "Z"], "Received: 'Z', which means no row"),
        (["A", "6"], "Received: '6', which means the rows A, B and C"),
        (["A", "run A"], "both are A run A"),
        (["A", "C"], "C run C has no predictions"),
        (["A", ""], "Received: '', which means no row"),
    ],
)
def test_name_that_means_no_other_row_is_refused(names: list[str], words: str) -> None:
    with pytest.raises(DataError, match=words):
        choose_pair([A, B, C], {"A": [], "B": []}, names)
