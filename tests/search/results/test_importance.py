import random

import pytest

from experiments.search.results.importance import measure_importance
from experiments.search.trials.trial import Outcome, Proposal, Trial


def trial(number, objective, values):
    end = "complete" if objective is not None else "failed"
    return Trial(
        proposal=Proposal(number=number, values=values),
        outcome=Outcome(end=end, objective=objective),
    )


def search(count, sample, score):
    """Returns trials of parameters that `sample` draws and `score` judges."""
    source = random.Random(0)
    drawn = [sample(source) for _ in range(count)]
    return [trial(n, score(values), values) for n, values in enumerate(drawn)]


def test_parameter_that_decides_alone_has_nearly_all():
    trials = search(
        40,
        lambda r: {"noise": r.random(), "depth": r.randint(1, 9)},
        lambda v: v["depth"],
    )
    shares = measure_importance(trials)
    assert list(shares) == ["depth", "noise"]
    assert shares["depth"] > 0.97


def test_shares_are_a_partition_of_one():
    trials = search(
        40,
        lambda r: {"a": r.random(), "b": r.random(), "c": r.random()},
        lambda v: 3 * v["a"] + v["b"],
    )
    shares = measure_importance(trials)
    assert list(shares) == ["a", "b", "c"]
    assert sum(shares.values()) == pytest.approx(1.0)
    assert min(shares.values()) >= 0.0


def test_equal_effects_have_about_equal_shares():
    trials = search(
        200, lambda r: {"a": r.random(), "b": r.random()}, lambda v: v["a"] - v["b"]
    )
    assert measure_importance(trials)["a"] == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize(
    "choices", [("adam", "sgd", "lamb"), (True, False), ("auto", 3, False)]
)
def test_categories_count_as_one_parameter(choices):
    scores = {str(choice): float(n) for n, choice in enumerate(choices)}
    trials = search(
        40,
        lambda r: {"noise": r.random(), "choice": r.choice(choices)},
        lambda v: scores[str(v["choice"])],
    )
    shares = measure_importance(trials)
    assert set(shares) == {"noise", "choice"}
    assert shares["choice"] > 0.97


def test_presence_of_a_parameter_explains_too():
    def sample(source):
        values = {"noise": source.random()}
        return {**values, "momentum": 0.9} if source.random() < 0.5 else values

    shares = measure_importance(search(40, sample, lambda v: float("momentum" in v)))
    assert shares["momentum"] > 0.97


def test_same_trials_give_the_same_shares():
    trials = search(
        20, lambda r: {"a": r.random(), "b": r.random()}, lambda v: v["a"] * v["b"]
    )
    assert measure_importance(trials) == measure_importance(trials)


def test_fewer_than_five_results_tell_nothing():
    trials = [trial(n, float(n), {"a": n}) for n in range(5)]
    assert measure_importance(trials) == {"a": 1.0}
    assert measure_importance([*trials[:4], trial(4, None, {"a": 4})]) == {}


@pytest.mark.parametrize(
    "trials",
    [
        [],
        [trial(n, None, {"a": n}) for n in range(9)],
        [trial(n, 0.5, {"a": n}) for n in range(9)],
        [trial(n, float(n), {}) for n in range(9)],
        [trial(n, float(n), {"a": 1}) for n in range(9)],
    ],
    ids=["none", "all failed", "constant objective", "no parameter", "constant value"],
)
def test_nothing_to_explain_gives_no_shares(trials):
    assert measure_importance(trials) == {}


def test_diverged_losses_do_not_overflow():
    trials = [trial(n, 10.0 ** (40 * n), {"a": n}) for n in range(8)]
    assert measure_importance(trials) == {"a": 1.0}
