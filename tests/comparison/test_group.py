from typing import Any

import pytest

from experiments.comparison.group import group_members, name_letter, write_letters
from experiments.comparison.member import Member
from experiments.config.kinds.objective import Objective
from tests.comparison.left import ACCURACY


def member(score: float | None, seed: int = 0, name: str = "", **more: Any) -> Member:
    rate = more.pop("lr", 0.1)
    settings = {"optimizer.lr": str(rate), "seed": str(seed)}
    metrics = {} if score is None else {"best_val_accuracy": score}
    run_id = f"{name}{seed}{score}"
    own = {"name": name or f"optimizer.lr={rate} seed={seed}", "run_id": run_id}
    return Member(settings=settings, metrics=metrics, **own, **more)


def test_runs_that_differ_in_their_seed_alone_are_one_row() -> None:
    lucky = [member(0.95, 0, lr=0.2), member(0.05, 1, lr=0.2)]
    steady = [member(0.7, 0), member(0.8, 1), member(0.75, 2)]
    groups = group_members([*lucky, *steady], ACCURACY)
    assert [len(group.members) for group in groups] == [3, 2]
    assert [group.letter for group in groups] == ["A", "B"]
    assert [group.values for group in groups] == [
        {"optimizer.lr": "0.1"},
        {"optimizer.lr": "0.2"},
    ]
    found = groups[0].estimate("best_val_accuracy")
    assert (found.count, found.mean) == (3, pytest.approx(0.75))
    assert groups[0].label == "optimizer.lr=0.1"


def test_smallest_loss_is_the_best() -> None:
    runs = [
        Member(name=str(loss), settings={"a": str(loss)}, metrics={"best_val_loss": v})
        for loss, v in (("x", 2.0), ("y", 1.0))
    ]
    groups = group_members(runs, Objective("val_loss", "min"))
    assert [group.label for group in groups] == ["y", "x"]


def test_row_without_a_value_is_the_last() -> None:
    groups = group_members(
        [member(None, lr=1), member(float("nan"), lr=2), member(0.1, lr=3)], ACCURACY
    )
    assert [g.values["optimizer.lr"] for g in groups] == ["3", "1", "2"]


def test_row_never_has_a_seed_twice() -> None:
    """The same experiment before and after a change of the code is two rows."""
    before = {"code": {"a.py": "1"}}
    after = {"code": {"a.py": "2"}}
    runs = [member(0.5 + s / 10, s, origin=o) for o in (before, after) for s in (0, 1)]
    groups = group_members(runs, ACCURACY)
    assert [len(group.members) for group in groups] == [2, 2]
    again = [member(0.5, 0, name="a"), member(0.6, 0, name="a")]
    assert [len(group.members) for group in group_members(again, ACCURACY)] == [1, 1]


def test_rows_of_one_name_are_told_apart() -> None:
    runs = [member(0.5, lr=0.1, name="resnet"), member(0.4, lr=0.2, name="resnet")]
    assert [group.label for group in group_members(runs, ACCURACY)] == [
        "resnet (optimizer.lr=0.1)",
        "resnet (optimizer.lr=0.2)",
    ]


def test_runs_without_settings_are_rows_of_their_own() -> None:
    runs = [Member(name="a", run_id="1"), Member(name="b", run_id="2")]
    assert len(group_members(runs, ACCURACY)) == 2


def test_row_that_only_seeds_tell_apart_is_named_by_them() -> None:
    runs = [member(0.5, seed, name=f"seed={seed}") for seed in (0, 1)]
    assert group_members(runs, ACCURACY)[0].label == "seeds 0 and 1"


def test_letters_are_those_of_a_sheet() -> None:
    named = {n: name_letter(n) for n in (0, 25, 26, 51, 52, 701, 702)}
    assert list(named.values()) == ["A", "Z", "AA", "AZ", "BA", "ZZ", "AAA"]


def test_letters_in_a_row_are_a_range() -> None:
    assert write_letters(["A", "C", "D", "E", "H", "I"]) == "A, C to E, H and I"
    assert write_letters(["Y", "Z", "AA"]) == "Y to AA"


def test_other_component_with_the_same_keys_is_another_row() -> None:
    runs = [
        Member(
            name=f"{k} {seed}", settings={"optimizer._target_": k, "seed": str(seed)}
        )
        for k in ("keras.optimizers.Adam", "keras.optimizers.Nadam")
        for seed in (0, 1)
    ]
    groups = group_members(runs, ACCURACY)
    assert [g.values for g in groups] == [
        {"optimizer._target_": "keras.optimizers.Adam"},
        {"optimizer._target_": "keras.optimizers.Nadam"},
    ]


def test_what_follows_another_setting_is_not_shown_beside_it() -> None:
    runs = [
        Member(
            name=lr,
            settings={"optimizer.lr": lr, "schedule.lr": lr},
            followers={"schedule.lr"},
        )
        for lr in ("0.1", "0.2")
    ]
    groups = group_members(runs, ACCURACY)
    assert [g.values for g in groups] == [
        {"optimizer.lr": "0.1"},
        {"optimizer.lr": "0.2"},
    ]


def test_runs_that_differ_in_fold_and_seed_are_one_row_without_an_interval() -> None:
    runs = [
        Member(
            name=f"dataset.fold={fold} optimizer.lr={rate} seed={seed}",
            settings={
                "optimizer.lr": str(rate),
                "dataset.fold": str(fold),
                "seed": str(seed),
            },
            metrics={"best_val_accuracy": 0.5 + 0.1 * fold - rate},
            run_id=f"{fold}{rate}{seed}",
            origin={"data": {"content": "c", "split": f"s{fold}"}},
        )
        for rate in (0.1, 0.2)
        for fold in (1, 2, 3)
        for seed in (0, 1)
    ]
    groups = group_members(runs, ACCURACY)
    assert [len(group.members) for group in groups] == [6, 6]
    assert [(group.label, group.seeds) for group in groups] == [
        ("optimizer.lr=0.1", 2),
        ("optimizer.lr=0.2", 2),
    ]
    found = groups[0].estimate("best_val_accuracy")
    assert (found.count, found.mean) == (6, pytest.approx(0.6))
    assert (groups[0].has_folds, found.margin) == (True, None)


def test_folds_of_two_programs_are_two_rows() -> None:
    runs = [
        Member(
            name=f"fold {fold}",
            settings={"dataset.fold": str(fold), "a": "b"},
            metrics={"best_val_accuracy": score},
            run_id=f"{fold}{code}",
            origin={"code": code, "data": {"content": "c", "split": f"s{fold}"}},
        )
        for code, score in (("old", 0.4), ("new", 0.5))
        for fold in (1, 2)
    ]
    groups = group_members(runs, ACCURACY)
    assert [[m.origin["code"] for m in group.members] for group in groups] == [
        ["new", "new"],
        ["old", "old"],
    ]
