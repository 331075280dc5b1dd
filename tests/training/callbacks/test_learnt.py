import math
from types import SimpleNamespace
from typing import Any

import pytest

from experiments.training.callbacks.abilities import (
    ExaminingCallback,
    Verdict,
    find_verdict,
)
from experiments.training.callbacks.learnt import Learnt


def play(callback: Learnt, losses: list[float], *, first: int = 0) -> int | None:
    """Gives epochs their losses; returns after how many training was ended."""
    callback.set_params({"steps": 1})
    model = SimpleNamespace(stop_training=False)
    callback.set_model(model)
    for number, loss in enumerate(losses, start=first + 1):
        callback.on_epoch_end(number - 1, {"loss": loss, "val_loss": 0.0})
        if model.stop_training:
            return number
    return None


def test_training_ends_with_the_first_epoch_whose_loss_is_below() -> None:
    callback = Learnt(loss=0.01)

    assert play(callback, [2.3, 0.01, 0.0041, 0.002]) == 3
    words = "learnt this batch by heart: loss 0.0041 after 3 steps"
    assert callback.judge() == Verdict(passed=True, words=words)


def test_loss_that_stays_above_is_told_with_what_to_try() -> None:
    callback = Learnt(loss=0.01)

    assert play(callback, [2.3, 0.4, 0.6]) is None
    verdict = callback.judge()
    assert not verdict.passed
    assert verdict.words.startswith(
        "Did not learn this batch by heart: the loss fell to 0.4 in 3 steps, and "
        "not below 0.01. Try an optimizer.lr ten times as high"
    )


def test_rate_at_which_it_was_learnt_is_told() -> None:
    callback = Learnt(loss=0.01)
    callback.set_params({"steps": 1})
    callback.set_model(SimpleNamespace(stop_training=False))

    callback.on_epoch_end(0, {"loss": 2.3, "lr": 1e-4})
    callback.on_epoch_end(1, {"loss": 0.002, "lr": 0.00278})

    words = "learnt this batch by heart: loss 0.002 after 2 steps, at a rate of 0.0028"
    assert callback.judge() == Verdict(passed=True, words=words)


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_loss_that_is_no_number_ends_it(loss: float) -> None:
    callback = Learnt(loss=0.01)

    assert play(callback, [2.3, 0.4, loss, 0.001]) == 3
    verdict = callback.judge()
    assert not verdict.passed
    assert verdict.words.startswith(
        "Did not learn this batch by heart: the loss fell to 0.4 in 3 steps, and not "
        "below 0.01; then it was no number. Try"
    )


def test_loss_that_never_was_a_number_is_told() -> None:
    callback = Learnt(loss=0.01)

    assert play(callback, [math.nan]) == 1
    verdict = callback.judge()
    assert not verdict.passed
    assert "by heart: the loss was no number after 1 step. Try" in verdict.words


def test_several_batches_are_counted() -> None:
    callback = Learnt(loss=0.01)
    play(callback, [0.001])
    callback.set_params({"steps": 3})

    assert "learnt these 3 batches by heart: loss 0.001 after 3 steps" in str(
        callback.judge().words
    )


def test_default_goal_is_a_probability_of_99_percent(check: Any) -> None:
    (goal,) = [
        callback.loss
        for name, callback in check("debug=overfit").run.callbacks.items()
        if name == "learnt"
    ]
    assert math.exp(-goal) == pytest.approx(0.99, abs=1e-4)


def test_memory_comes_back() -> None:
    first, second = Learnt(loss=0.01), Learnt(loss=0.01)
    play(first, [2.3, 0.4])

    second.set_state(first.get_state())
    play(second, [0.6], first=2)

    assert "fell to 0.4 in 3 steps" in second.judge().words


def test_one_failure_decides() -> None:
    bad, good = Learnt(loss=0.01), Learnt(loss=0.01)
    play(bad, [2.3])
    play(good, [0.001])

    assert isinstance(bad, ExaminingCallback)
    assert find_verdict({"a": good, "b": bad, "c": good}) == bad.judge()
    assert find_verdict({"a": good}) == good.judge()
    assert find_verdict({}) is None
