"""A training that pauses after some of its epochs, as the rounds of Hyperband do."""

import dataclasses
from pathlib import Path

import pytest

from experiments.training.loop.supervisor import Limits
from tests.training.test_resume import EPOCHS, Training


def until(epoch: int | None) -> Limits:
    return Limits(until_epoch=epoch)


@pytest.mark.parametrize("ema", [0.8, None])
def test_promotion_equals_training_at_once(tmp_path: Path, ema: float | None) -> None:
    """2 -> 4 -> 5 epochs: weights, optimizer, every metric, bit for bit."""
    whole = Training(tmp_path / "whole", ema=ema).run()
    paused = Training(tmp_path / "paused", ema=ema, limits=until(2)).run()
    assert paused.position == (2, 0)
    assert not paused.history.ended
    assert paused.epochs == whole.epochs[:2]
    dataclasses.replace(paused, limits=until(4)).run()
    promoted = dataclasses.replace(paused, limits=until(None)).run()
    assert promoted.end == whole.end
    assert promoted.epochs == whole.epochs
    assert promoted.history.ended


def test_a_pause_equals_a_training_that_was_killed_before_it(tmp_path: Path) -> None:
    paused = Training(tmp_path / "paused", limits=until(3)).run()
    killed = Training(tmp_path / "killed", limits=until(3))
    killed.interrupt("step", 1, 4)
    killed.run()
    assert (killed.end, killed.epochs) == (paused.end, paused.epochs)


def test_a_training_that_is_where_it_should_pause_does_nothing(tmp_path: Path) -> None:
    """Its process died after the last state was saved and before its result."""
    paused = Training(tmp_path, limits=until(2)).run()
    again = dataclasses.replace(paused, limits=until(2)).run()
    assert (again.end, again.epochs) == (paused.end, paused.epochs)
    assert again.position == (2, 0)


def test_a_pause_after_the_last_epoch_is_the_end(tmp_path: Path) -> None:
    whole = Training(tmp_path / "whole").run()
    paused = Training(tmp_path / "paused", limits=until(EPOCHS + 3)).run()
    assert paused.history.ended
    assert paused.end == whole.end


def test_early_stopping_in_the_epoch_of_the_pause_is_the_end(tmp_path: Path) -> None:
    """Nothing would be trained any more after a promotion."""
    early = Training(tmp_path / "early", patience=1, peak_lr=1.0).run()
    last = len(early.history.epochs)
    assert last < EPOCHS
    paused = Training(
        tmp_path / "paused", patience=1, peak_lr=1.0, limits=until(last)
    ).run()
    assert paused.history.ended
    assert paused.end == early.end
