import pytest

from experiments.config.kinds.objective import Objective
from experiments.search.results.axes import ABSENT, build_axes, shorten
from experiments.search.trials.trial import Outcome, Proposal, Trial


def trial(number, objective, values=None, end=None):
    end = end or ("complete" if objective is not None else "failed")
    return Trial(
        proposal=Proposal(number=number, values=values or {}),
        outcome=Outcome(end=end, objective=objective),
    )


TRIALS = [
    trial(0, 0.3, {"lr": 0.001}),
    trial(1, None, {"lr": 0.5}),
    trial(2, 0.8, {"lr": 1.0, "nesterov": True}),
    trial(3, 0.5, {"lr": 0.1}, end="pruned"),
    trial(4, 0.6, {"lr": 0.01}, end="paused"),
    Trial(proposal=Proposal(number=5, values={"lr": 0.5})),
]


def axis(trials, name, direction="max"):
    axes = build_axes(trials, Objective("score", direction))
    (found,) = [axis for axis in axes if axis.label == name]
    return found


def test_wide_numbers_are_placed_by_their_logarithm():
    lr = axis(TRIALS, "lr")  # from worst to best: 0.001, 0.1, 0.01, 1
    assert lr.heights == pytest.approx([0, 2 / 3, 1 / 3, 1])
    assert list(lr.ticks.values()) == ["0.001", "0.01", "0.1", "1"]


def test_other_numbers_are_placed_evenly_with_round_ticks():
    trials = [trial(n, float(n), {"size": 10 + n}) for n in range(11)]
    size = axis(trials, "size")
    assert size.heights == pytest.approx([n / 10 for n in range(11)])
    assert size.ticks == pytest.approx(
        {0.0: "10", 0.2: "12", 0.4: "14", 0.6: "16", 0.8: "18", 1.0: "20"}
    )


def test_categories_are_spread_evenly_with_their_names():
    trials = [trial(n, float(n), {"x": name}) for n, name in enumerate("bca")]
    x = axis(trials, "x")
    assert x.heights == [0.5, 1.0, 0.0]
    assert x.ticks == {0.0: "a", 0.5: "b", 1.0: "c"}


def test_absent_parameter_lies_below_its_axis():
    nesterov = axis(TRIALS, "nesterov")
    assert nesterov.heights == [ABSENT, ABSENT, ABSENT, 0.5]
    assert nesterov.ticks == {0.5: "true", ABSENT: "absent"}


def test_crowded_ticks_are_left_out():
    trials = [trial(n, float(n), {"x": f"{n:03}"}) for n in range(101)]
    assert list(axis(trials, "x").ticks.values()) == [
        f"{n:03}" for n in range(0, 101, 5)
    ]


def test_long_texts_are_cut_to_one_line():
    assert shorten("a\n b", 3) == "a b"
    assert shorten("abcdef", 3) == "ab…"
