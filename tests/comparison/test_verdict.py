"""Statements about rows, against scipy from the raw tables."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from scipy import stats

from experiments.comparison.group import Group, group_members
from experiments.comparison.member import read_member
from experiments.comparison.verdict import describe_basis, judge
from tests.comparison.left import ACCURACY, leave, of_right, share
from tests.evaluation.made import draw, make


@pytest.fixture
def groups(tmp_path: Path) -> Any:
    """Leaves runs, the best first, and returns their rows."""

    def groups(*tables: Any) -> list[Group]:
        for number, table in enumerate(tables):
            settings = {"optimizer.lr": str(number)}
            given = {"predictions": table, "settings": settings}
            leave(tmp_path / f"r{number}", 0.9 - number / 100, **given)
        folders = [tmp_path / f"r{number}" for number in range(len(tables))]
        members = [read_member(folder, tmp_path) for folder in folders]
        return group_members(members, ACCURACY)

    return groups


def read_right(folder: Path) -> Any:
    """Returns which images are right, by Parquet alone."""
    table = pq.read_table(folder / "predictions" / "test.parquet").to_pydict()
    return np.array(table["predicted"]) == np.array(table["truth"])


def test_verdicts_are_those_of_scipy_with_holm(groups: Any, tmp_path: Path) -> None:
    generator = np.random.default_rng(8)
    truth = generator.integers(0, 5, 400)
    tables = []
    for skill in (2.0, 1.9, 1.6, 1.7):
        outputs = generator.normal(size=(400, 5))
        outputs[np.arange(400), truth] += skill
        tables.append(make(outputs, truth))
    found = judge(groups(*tables))
    right = [read_right(tmp_path / f"r{number}") for number in range(4)]
    p_values = []
    for other in right[1:]:
        only = int((right[0] & ~other).sum()), int((other & ~right[0]).sum())
        p_values.append(stats.binomtest(only[0], sum(only), 0.5).pvalue)
    holm = np.zeros(3)
    largest = 0.0
    for rank, place in enumerate(np.argsort(p_values)):
        largest = max(largest, min(1.0, (3 - rank) * p_values[place]))
        holm[place] = largest
    assert [told.p_value for told in found.told] == pytest.approx(list(holm))
    assert 1e-6 < min(p_values) < min(holm) < 0.5  # the adjustment is seen
    for told, other in zip(found.told, right[1:], strict=True):
        points = abs(right[0].mean() - other.mean())
        assert abs(told.difference.accuracy) == pytest.approx(points)


def test_better_one_is_named_first_whoever_is_ranked_first(groups: Any) -> None:
    found = judge(groups(of_right(share(40)), of_right(share(80))))
    (told,) = found.told
    assert str(told).startswith("B is better than A by 40.0 points (3")
    assert found.reference is not None
    assert found.reference.letter == "A"


def test_no_difference_is_never_called_equality(groups: Any) -> None:
    """Of identical predictions, too."""
    found = judge(groups(of_right(share(60)), of_right(share(60)), of_right(share(61))))
    texts = [str(told) for told in found.told]
    assert texts[0] == (
        "no difference shown between A and B (+0.0 points, +0.0 to +0.0), p = 1"
    )
    assert texts[1].startswith("no difference shown between C and A (+1.0 points")
    assert not any("equal" in text for text in texts)


def test_one_image_shows_nothing(groups: Any) -> None:
    (told,) = judge(groups(of_right([True]), of_right([False]))).told
    assert not told.is_shown


def test_ties_and_absent_classes_count_as_predicted(groups: Any) -> None:
    """Of equal outputs the class with the lower number is predicted."""
    tied = make(np.ones((20, 4)), [0] * 10 + [1] * 10)
    surely = make(np.eye(4)[[0] * 10 + [1] * 10], [0] * 10 + [1] * 10)
    (told,) = judge(groups(surely, tied)).told
    assert told.difference.only_second == 10
    assert told.p_value == pytest.approx(stats.binomtest(10, 10, 0.5).pvalue)


def test_classes_in_another_order_are_the_same_classes(groups: Any) -> None:
    first = draw(100, 3)
    order = [1, 2, 0]
    moved = dataclasses.replace(
        first,
        outputs=first.outputs[:, order],
        truth=np.argsort(order)[first.truth],
        class_names=tuple(first.class_names[n] for n in order),
    )
    (told,) = judge(groups(first, moved)).told
    assert told.difference.only_first == told.difference.only_second == 0


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (draw(30, 4), "over the same classes only"),
        (draw(20, 3), "30 and 20 images, 20 of them in both"),
        (dataclasses.replace(draw(30, 3), truth=np.zeros(30)), "with another label"),
    ],
)
def test_other_images_or_classes_are_said_to_be(
    groups: Any, other: Any, words: str
) -> None:
    found = judge(groups(draw(30, 3), other, draw(30, 3)))
    (problem,) = found.problems
    assert problem.startswith("A and B are not compared. ")
    assert words in problem
    assert [told.second.letter for told in found.told] == ["C"]


def test_damaged_table_is_named_and_the_rest_compared(
    groups: Any, tmp_path: Path
) -> None:
    rows = groups(*[of_right(share(n)) for n in (90, 50, 40)])
    (tmp_path / "r1" / "predictions" / "test.parquet").write_bytes(b"PAR1 no more")
    found = judge(rows)
    assert len(found.problems) == 1
    assert found.problems[0].startswith("B: ")
    assert [told.second.letter for told in found.told] == ["C"]


def test_best_that_has_predictions_is_held_against_the_others(groups: Any) -> None:
    found = judge(groups(None, of_right(share(90)), of_right(share(50))))
    assert [(t.first.letter, t.second.letter) for t in found.told] == [("B", "C")]
    assert [group.letter for group, _ in found.missing] == ["A"]


def test_rows_beyond_the_twentieth_are_not_looked_at(groups: Any) -> None:
    found = judge(groups(*[of_right(share(50))] * 22))
    assert (len(found.told), found.left_out) == (19, 2)


def test_single_runs_and_seeds_are_told_apart_in_words(groups: Any) -> None:
    from experiments.comparison.verdict import describe_basis

    text = describe_basis(judge(groups(of_right(share(90)), of_right(share(50)))))
    assert "says nothing of what another seed would do" in text
    assert "Holm" not in text


def leave_folds(folder: Path, right: Any, rate: int, *, folds: int = 3) -> None:
    """Leaves a run a fold, which has said something of every third image."""
    for fold in range(1, folds + 1):
        table = of_right(right)
        rows = np.arange(fold - 1, len(right), folds)
        facts = {"dataset": "d", "data_content": "c", "folds": folds, "fold": fold}
        leave(
            folder / f"r{rate}-{fold}",
            0.9 - rate / 100,
            name=f"dataset.fold={fold} optimizer.lr={rate}",
            predictions=dataclasses.replace(table.select(rows), facts=facts),
            settings={"optimizer.lr": str(rate), "dataset.fold": str(fold)},
        )


def test_settings_are_compared_over_the_images_of_all_folds(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    first, second = generator.random(300) < 0.9, generator.random(300) < 0.7
    leave_folds(tmp_path, first, 1)
    leave_folds(tmp_path, second, 2)
    members = [read_member(path, tmp_path) for path in sorted(tmp_path.iterdir())]
    groups = group_members(members, ACCURACY)
    assert [len(group.members) for group in groups] == [3, 3]
    assert [group.label for group in groups] == ["optimizer.lr=1", "optimizer.lr=2"]
    found = judge(groups)
    assert (found.problems, found.missing) == ([], [])
    (told,) = found.told
    only = int((first & ~second).sum()), int((second & ~first).sum())
    assert told.p_value == pytest.approx(stats.binomtest(only[0], sum(only)).pvalue)
    assert told.difference.accuracy == pytest.approx(first.mean() - second.mean())
    assert told.difference.images == 300
    assert "whose fold it was in" in describe_basis(found)


def test_folds_that_are_not_all_there_are_told(tmp_path: Path) -> None:
    leave_folds(tmp_path, share(30, 60), 1)
    leave_folds(tmp_path, share(40, 60), 2)
    (tmp_path / "r2-2" / "predictions" / "test.parquet").unlink()
    members = [read_member(path, tmp_path) for path in sorted(tmp_path.iterdir())]
    found = judge(group_members(members, ACCURACY))
    assert found.problems == ["B: folds are missing: 2."]
    assert [group.letter for group, _ in found.missing] == ["B"]
    assert found.told == []
