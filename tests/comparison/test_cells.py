from typing import Any

import pytest

from experiments.comparison.cells import (
    list_brief_results,
    list_results,
    list_settings,
    tell_states,
)
from experiments.comparison.compared import Compared, compare_members
from experiments.comparison.member import Member
from tests.comparison.left import ACCURACY


def member(name: str, score: float | None, seed: int = 0, **more: Any) -> Member:
    metrics = {} if score is None else {"best_val_accuracy": score}
    metrics |= {} if score is None else {"test_accuracy": score / 2, "test_loss": 1.0}
    settings = {"a.b": name, "seed": str(seed), **more.pop("settings", {})}
    points = {1: {"loss": 1.0, "epoch_seconds": 75.0, "images_per_second": 1500.0}}
    values = {"points": points, "parameters": 12345.0, "disk": 2.5e6, **more}
    return Member(name=name, metrics=metrics, settings=settings, **values)


def compare(*members: Member) -> Compared:
    return compare_members(members, objective=ACCURACY)


def test_results_have_scores_and_costs() -> None:
    head, *rows = list_results(compare(member("x", 0.5), member("y", 0.25)))
    assert head == [
        *("", "run", "val_accuracy", "test_accuracy", "test_loss"),
        *("epochs", "time", "images/s", "parameters", "disk"),
    ]
    assert rows[0] == [
        *("A", "x", "0.5000", "0.2500", "1.0000"),
        *("1", "1 min 15 s", "1,500", "12,345", "2.5 MB"),
    ]


def test_seeds_have_their_mean_and_interval() -> None:
    head, row = list_results(compare(member("x", 1.0, 0), member("x", 0.5, 1)))
    assert head[2:5] == ["n", "val_accuracy", "95 % interval"]
    # 0.75 +- 12.706 * 0.25 by Student, of which an accuracy can be all there is.
    assert row[2:5] == ["2", "0.7500", "0.0000 to 1.0000"]
    assert row[-1] == "5 MB"


def test_seed_without_a_result_does_not_count() -> None:
    runs = [member("x", 0.5, 0), member("x", None, 1, state="failed", reason="why")]
    compared = compare(*runs)
    assert list_results(compared)[1][2] == "1 of 2"
    assert tell_states(compared.groups) == ["A seed 1: failed. why"]


def test_runs_without_anything_have_a_row() -> None:
    nothing = {"points": {}, "parameters": None, "disk": None}
    rows = list_results(compare(*[member(n, None, **nothing) for n in "xy"]))
    assert rows[1] == ["A", "x", *["-"] * 6]


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_narrow_screen_has_fewer_costs(width: int) -> None:
    compared = compare(member("x", 0.5), member("y", 0.25, disk=9e9))
    head, *rows = list_brief_results(compared, width)
    assert head[:4] == ["", "run", "val_accuracy", "test_accuracy"]
    assert head[4:] == {40: [], 60: ["time", "disk"]}.get(width, ["time", "disk"])
    assert len(rows) == 2


def test_what_another_component_lacks_is_not_listed() -> None:
    sgd = {"optimizer._target_": "keras.optimizers.SGD", "optimizer.momentum": "0.9"}
    adam = {"optimizer._target_": "keras.optimizers.Adam", "optimizer.beta_1": "0.9"}
    runs = [member("x", 0.5, settings=sgd), member("x", 0.4, settings=adam)]
    assert list_settings(compare(*runs)) == [
        ["setting", "A", "B"],
        ["optimizer", "SGD", "Adam"],
    ]


def test_many_rows_stand_below_each_other() -> None:
    table = list_settings(compare(*[member(name, 0.5) for name in "vwxyz"]))
    assert table[0] == ["", "a.b"]
    assert table[1] == ["A", "v"]
    assert len(table) == 6


def test_other_data_and_code_are_said_to_be() -> None:
    one = {"data": {"content": "1"}, "code": {"a": "1"}}
    other = {"data": {"content": "2"}, "code": {"a": "1"}}
    runs = [member("x", 0.5, origin=one), member("y", 0.4, origin=other)]
    (caution,) = compare(*runs).cautions
    assert caution.startswith("Their images differ (A; B)")
    assert compare(member("x", 0.5, origin=one), member("y", 0.4)).cautions == []


def test_seeds_that_divide_the_images_alike_in_each_row_are_no_caution() -> None:
    runs = [
        member(name, 0.5, seed, origin={"data": {"split": str(seed)}})
        for name in "xy"
        for seed in (0, 1)
    ]
    assert compare(*runs).cautions == []
