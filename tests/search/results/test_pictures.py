import pytest

from experiments.config.kinds.objective import Objective
from experiments.search.results.pictures import (
    draw_history,
    draw_importance,
    draw_parallel,
)
from experiments.search.trials.trial import Outcome, Proposal, Trial


def trial(number, objective, values=None, end=None):
    end = end or ("complete" if objective is not None else "failed")
    return Trial(
        proposal=Proposal(number=number, values=values or {}),
        outcome=Outcome(end=end, objective=objective),
    )


ODD = 'a|"b",<c> & $x_{1$ and many more letters'
TRIALS = [
    trial(0, 0.3, {"model.lr": 0.001, "name": "b"}),
    trial(1, None, {"model.lr": 0.5, "name": "c"}),
    trial(2, 0.8, {"model.lr": 1.0, "name": "a", "nesterov": True}),
    trial(3, 0.5, {"model.lr": 0.1, "name": "b"}, end="pruned"),
    trial(4, 0.6, {"model.lr": 0.01, "name": ODD}, end="paused"),
    trial(5, None, {"model.lr": 0.5}),
    Trial(proposal=Proposal(number=6, values={"model.lr": 0.5})),
]


def curve(axes, label):
    (line,) = [line for line in axes.lines if line.get_label() == label]
    return list(line.get_xdata()), list(line.get_ydata())


def dots(axes, label):
    (found,) = [c for c in axes.collections if c.get_label() == label]
    return found


@pytest.mark.parametrize(
    ("direction", "best"),
    [("max", [0.3, 0.3, 0.8, 0.8, 0.8, 0.8, 0.8]), ("min", [0.3] * 7)],
)
def test_history_follows_the_best_so_far(direction, best):
    (axes,) = draw_history(TRIALS, Objective("val_accuracy", direction)).axes
    assert curve(axes, "best so far") == ([0, 1, 2, 3, 4, 5, 6], best)


def test_history_shows_each_end_in_its_own_way():
    (axes,) = draw_history(TRIALS, Objective("val_accuracy", "max")).axes
    assert dots(axes, "complete").get_offsets().tolist() == [[0, 0.3], [2, 0.8]]
    assert dots(axes, "pruned").get_offsets().tolist() == [[3, 0.5]]
    assert len(dots(axes, "pruned").get_facecolors()) == 0
    assert dots(axes, "paused (fewer epochs)").get_offsets().tolist() == [[4, 0.6]]


def test_failures_are_crosses_at_the_bottom_edge():
    figure = draw_history(TRIALS, Objective("val_accuracy", "max"))
    (axes,) = figure.axes
    (failed,) = [line for line in axes.lines if line.get_label() == "failed"]
    assert list(failed.get_xdata()) == [1, 5]
    bottom = axes.transAxes.transform((0, 0))[1]
    assert failed.get_transform().transform((1, 0))[1] == pytest.approx(bottom)


def test_history_names_the_best_trial():
    (axes,) = draw_history(TRIALS, Objective("val_accuracy", "max")).axes
    assert axes.get_title() == "best val_accuracy: 0.8000 (trial 2)"


@pytest.mark.parametrize(("direction", "scale"), [("min", "log"), ("max", "linear")])
def test_only_a_loss_over_decades_is_logarithmic(direction, scale):
    trials = [trial(number, 10.0**-number) for number in range(4)]
    assert draw_history(trials, Objective("x", direction)).axes[0].get_yscale() == scale


@pytest.mark.parametrize(("direction", "best"), [("max", 1.0), ("min", 0.0)])
def test_best_line_is_on_top_thick_and_dark(direction, best):
    axes = draw_parallel(TRIALS, Objective("val_accuracy", direction)).axes[0]
    lines = [line for line in axes.lines if line.get_marker() == "o"]
    top = max(lines, key=lambda line: line.get_zorder())
    assert len(lines) == 4
    assert top.get_ydata()[-1] == best
    assert top.get_linewidth() > 2 * lines[0].get_linewidth()
    assert sum(top.get_color()[:3]) == min(sum(x.get_color()[:3]) for x in lines)


def test_importance_bars_have_the_largest_at_the_top():
    (axes,) = draw_importance({"seed": 0.25, "lr": 0.75}).axes
    assert [bar.get_width() for bar in axes.patches] == [0.25, 0.75]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["seed", "lr"]
    assert [text.get_text() for text in axes.texts] == ["25 %", "75 %"]


def many(parameters):
    values = {f"group.parameter_{n}": 0.5 * n for n in range(parameters)}
    return [trial(0, 0.5, values), trial(1, 0.6, values)]


@pytest.mark.parametrize("draw", [draw_history, draw_parallel])
@pytest.mark.parametrize("direction", ["max", "min"])
@pytest.mark.parametrize(
    "trials",
    [
        [],
        [trial(0, None), trial(1, None)],
        [trial(0, 0.5, {"lr": 0.1})],
        [trial(0, 0.5), trial(1, 0.6)],
        [trial(0, 1e-9, {"x": -1}), trial(1, 1e30, {"x": 2})],
        many(1),
        many(8),
        TRIALS,
    ],
    ids=["none", "failed", "one", "no parameter", "diverged", "1", "8", "mixed"],
)
def test_any_search_can_be_drawn(draw, direction, trials, tmp_path):
    path = tmp_path / "picture.png"
    draw(trials, Objective("val_loss $", direction)).savefig(path)
    assert path.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("importances", [{}, {"lr": 1.0}, {ODD: 0.0, "$a$": 1.0}])
def test_any_importance_can_be_drawn(importances, tmp_path):
    path = tmp_path / "picture.png"
    draw_importance(importances).savefig(path)
    assert path.read_bytes().startswith(b"\x89PNG")


def test_names_of_parameters_are_whole_and_unbroken():
    name = "callbacks.early_stopping.patience"
    trials = [trial(0, 0.5, {name: 3, "seed": 1}), trial(1, 0.6, {name: 4, "seed": 2})]
    axes = draw_parallel(trials, Objective("val_accuracy", "max")).axes[0]
    labels = axes.get_xticklabels()
    assert [label.get_text() for label in labels] == [name, "seed", "val_accuracy"]
    assert {label.get_rotation() for label in labels} == {20.0}
