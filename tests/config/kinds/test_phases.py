from typing import Any

import pytest

from experiments.config.identity import identify
from experiments.config.kinds.phases import (
    Phase,
    describe_phases,
    list_borders,
    list_phases,
)

WORDS = ("model=resnet20_cifar", "schedule.warmup_epochs=0", "optimizer.lr=0.01")


@pytest.fixture
def phases(compose: Any) -> Any:
    return lambda typed, *words: compose(*WORDS, f"trainer.phases={typed}", *words)


def test_training_without_phases_is_one_of_all_epochs(compose: Any) -> None:
    run = compose(*WORDS, "model.freeze=conv2", "trainer.epochs=7")
    assert list_phases(run) == [
        Phase(begin=0, epochs=7, freeze="conv2", lr=0.01, key="model.freeze")
    ]
    assert describe_phases(run) == {}


def test_phases_follow_each_other_and_the_last_takes_what_is_left(phases: Any) -> None:
    typed = "[{epochs: 2, freeze: all, lr: 0.5}, {epochs: 1}, {lr_factor: 0.1}]"
    run = phases(typed, "model.freeze=conv1", "trainer.epochs=9")
    found = [(p.begin, p.end, p.freeze, p.lr) for p in list_phases(run)]
    assert found == [
        (0, 2, "all", 0.5),
        (2, 3, "conv1", 0.01),
        (3, 9, "conv1", pytest.approx(0.001)),
    ]
    assert describe_phases(run)["phases"].startswith(
        "2 epochs with freeze=all at 0.5, then 1 epoch with freeze=conv1 at 0.01, then"
    )
    assert list_borders([{"epochs": 2}, {"epochs": 1}, {}]) == [2, 3]


def test_phases_that_are_not_reached_are_left_out(phases: Any) -> None:
    run = phases("[{epochs: 3, freeze: all}, {}]", "trainer.epochs=2")
    (phase,) = list_phases(run)
    assert (phase.end, phase.freeze) == (3, "all")


def test_what_is_left_out_is_the_same_job_as_null(phases: Any, compose: Any) -> None:
    short = phases("[{epochs: 2, freeze: all}, {}]")
    long = phases("[{epochs: 2, freeze: all, lr: null}, {epochs: null}]")
    assert identify(short) == identify(long)
    assert identify(short) != identify(compose(*WORDS))
    assert identify(compose(*WORDS, "trainer.phases=null")) == identify(compose(*WORDS))
