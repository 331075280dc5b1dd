import json
import math
from typing import Any

import pytest

from experiments.comparison.curves import count_undrawn, plot_curves
from experiments.comparison.group import Group, name_letter
from experiments.comparison.member import Member


def row(number: int, *, seeds: int = 1, epochs: int = 3, **values: float) -> Group:
    points = {
        epoch: {"loss": 1 / epoch, "val_accuracy": epoch / 10, **values}
        for epoch in range(1, epochs + 1)
    }
    members = [
        Member(name=f"m{s}", settings={"seed": str(s)}, points=points)
        for s in range(seeds)
    ]
    letter = name_letter(number)
    return Group(letter=letter, label="run", members=tuple(members), values={})


def read(groups: list[Group]) -> list[dict[str, Any]]:
    figure = plot_curves(groups)
    assert figure is not None
    found: list[dict[str, Any]] = json.loads(figure.to_json())["data"]
    return found


def test_each_curve_is_what_was_measured() -> None:
    lines = read([row(0)])
    drawn = {
        line.get("xaxis", "x"): (line["x"], line["y"]) for line in lines if line["x"]
    }
    # Validation accuracy is the first panel, the training's loss the last.
    assert drawn["x"] == ([1, 2, 3], [0.1, 0.2, 0.3])
    assert drawn["x4"] == ([1, 2, 3], [1.0, 0.5, pytest.approx(1 / 3)])
    assert set(drawn) == {"x", "x4"}


def test_seeds_of_a_row_have_one_colour_and_one_line_in_the_legend() -> None:
    lines = read([row(0, seeds=3), row(1)])
    colours = {line["legendgroup"]: set() for line in lines}
    for line in lines:
        colours[line["legendgroup"]].add(line["line"]["color"])
    assert [len(found) for found in colours.values()] == [1, 1]
    assert [line["legendgroup"] for line in lines if line["showlegend"]] == ["A", "B"]


def test_twenty_rows_can_be_told_apart() -> None:
    lines = read([row(number) for number in range(20)])
    looks = {(line["line"]["color"], line["line"]["dash"]) for line in lines}
    assert len(looks) == 20


def test_more_rows_are_counted_and_not_drawn() -> None:
    groups = [row(number) for number in range(23)] + [row(23, epochs=0)]
    assert len({line["legendgroup"] for line in read(groups)}) == 20
    assert count_undrawn(groups) == (3, 1)


def test_infinite_losses_are_gaps() -> None:
    lines = read([row(0, val_loss=math.inf, accuracy=math.nan)])
    assert {line.get("xaxis", "x") for line in lines if line["x"]} == {"x", "x4"}


def test_without_an_epoch_there_is_no_figure() -> None:
    assert plot_curves([row(0, epochs=0)]) is None
    assert plot_curves([]) is None


def test_names_are_texts() -> None:
    evil = Group(letter="A", label="<img src=x>", members=row(0).members, values={})
    assert read([evil])[0]["name"] == "A &lt;img src=x&gt;"


def test_few_epochs_have_a_tick_each() -> None:
    figure = plot_curves([row(0, epochs=2)])
    assert figure is not None
    assert json.loads(figure.to_json())["layout"]["xaxis"]["dtick"] == 1
    figure = plot_curves([row(0, epochs=40)])
    assert figure is not None
    assert "dtick" not in json.loads(figure.to_json())["layout"]["xaxis"]
