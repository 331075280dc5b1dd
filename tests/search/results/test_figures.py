"""What the figures of the page show, by what plotly is given."""

import pytest

from experiments.config.kinds.objective import Objective
from experiments.search.results.figures import plot_importance, plot_parallel
from experiments.search.trials.trial import Outcome, Proposal, Trial


def trial(number, objective, values):
    return Trial(
        proposal=Proposal(number=number, values=values),
        outcome=Outcome(end="complete", objective=objective),
    )


NAME = "callbacks.early_stopping.patience"
TRIALS = [trial(n, n / 10, {NAME: n, "optimizer.lr": 0.1 * n}) for n in range(9)]


def lines(figure):
    return [trace for trace in figure.data if trace.line.width]


@pytest.mark.parametrize(("direction", "best"), [("max", 8), ("min", 0)])
def test_best_trial_is_the_thick_line_on_top(direction, best):
    figure = plot_parallel(TRIALS, Objective("val_accuracy", direction))
    *others, top = lines(figure)
    assert top.line.width >= 3 * max(line.line.width for line in others)
    assert top.name == f"the best trial, {best}"
    assert len(top.x) == 3  # two parameters and the objective
    assert top.y[-1] == (1.0 if direction == "max" else 0.0)
    assert f"trial {best}: " in top.hovertext[0]


@pytest.mark.parametrize("direction", ["max", "min"])
def test_every_other_trial_is_a_line_with_a_gap_behind_it(direction):
    figure = plot_parallel(TRIALS, Objective("val_accuracy", direction))
    *others, _ = lines(figure)
    gaps = sum(list(line.x).count(None) for line in others)
    points = sum(len(line.x) for line in others) - gaps
    assert (gaps, points) == (8, 8 * 3)
    assert all(len(line.x) == len(line.y) == len(line.hovertext) for line in others)


def test_names_of_parameters_are_unbroken():
    figure = plot_parallel(TRIALS, Objective("val_accuracy", "max"))
    assert figure.layout.xaxis.ticktext == (NAME, "optimizer.lr", "val_accuracy")


def test_dark_is_good():
    for direction, first in (("max", "rgb(68, 1, 84)"), ("min", "rgb(68, 1, 84)")):
        figure = plot_parallel(TRIALS, Objective("val_accuracy", direction))
        assert lines(figure)[-1].line.color == first  # the first colour of viridis


def test_texts_are_no_markup():
    trials = [trial(n, n / 2, {"<b>x": f"<i>{n}"}) for n in range(2)]
    figure = plot_parallel(trials, Objective("val_<u>", "max"))
    shown = str(figure.layout.xaxis.ticktext)
    shown += str([note.text for note in figure.layout.annotations])
    assert "<b>" not in shown
    assert "<i>" not in shown


def test_importance_needs_ten_trials_a_parameter():
    assert plot_importance(TRIALS) is None
    more = [trial(n, n / 10, {"a": n, "b": n % 3}) for n in range(20)]
    (bars,) = plot_importance(more).data
    assert bars.y == ("a", "b")
    assert list(bars.text) == [f"{share:.0f} %" for share in bars.x]
    assert round(sum(bars.x)) == 100
