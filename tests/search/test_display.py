import io
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from rich.console import Console

from experiments.counts import format_seconds
from experiments.search.display import SearchDisplay
from experiments.search.trials.trial import Outcome, Proposal, Trial


class Trials:
    """Stands for a proposer."""

    def __init__(self) -> None:
        self.trials: list[Trial] = []

    def ask(self, *overrides: str, **proposal: Any) -> Trial:
        number = len(self.trials)
        trial = Trial(
            proposal=Proposal(number=number, values={}, **proposal), overrides=overrides
        )
        self.trials.append(trial)
        return trial

    def tell(self, trial: Trial, **outcome: Any) -> Trial:
        told = Trial(
            proposal=trial.proposal,
            overrides=trial.overrides,
            outcome=Outcome(**{"seconds": 12.0, "end": "complete", **outcome}),
        )
        self.trials[trial.number] = told
        return told


@pytest.fixture
def trials() -> Trials:
    return Trials()


@pytest.fixture
def screen() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def make(settings: Any, trials: Trials, screen: io.StringIO) -> Any:
    """Makes a display that prints on `screen`, no terminal unless wished."""

    def make(
        *, n_jobs: int = 1, terminal: bool = False, **changed: Any
    ) -> SearchDisplay:
        console = Console(
            file=screen, force_terminal=terminal, width=60, highlight=False
        )
        return SearchDisplay(
            settings(**changed),
            trials,  # type: ignore[arg-type]
            n_jobs=n_jobs,
            console=console,
        )

    return make


@pytest.fixture
def fast_switching() -> Iterator[None]:
    """Lets threads take turns as often as they can."""
    former = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(former)


def now(display: SearchDisplay) -> list[str]:
    """Returns the parts of the line that is kept current."""
    return display._describe_now().plain.split("  |  ")


def test_each_trial_has_a_line_when_it_begins_and_ends(
    make: Any, trials: Trials, screen: io.StringIO
) -> None:
    with make() as display:
        trial = trials.ask("optimizer.lr=0.1")
        display.began(trial)
        display.ended(trials.tell(trial, objective=0.5))
    assert screen.getvalue().splitlines() == [
        "trial 0 runs: optimizer.lr=0.1",
        "trial 0 complete: val_accuracy 0.5000 (best) in 12 s: optimizer.lr=0.1",
    ]


def test_long_lines_are_not_broken(
    make: Any, trials: Trials, screen: io.StringIO
) -> None:
    with make() as display:
        display.began(trials.ask(*(f"a.long.key{n}=[0.1]" for n in range(20))))
    (line,) = screen.getvalue().splitlines()
    assert line.endswith("a.long.key19=[0.1]")


def test_only_the_best_so_far_is_marked(
    make: Any, trials: Trials, screen: io.StringIO
) -> None:
    with make(n_jobs=2) as display:
        for value in (0.5, 0.4, 0.6):
            display.ended(trials.tell(trials.ask(), objective=value))
    marks = ["(best)" in line for line in screen.getvalue().splitlines()]
    assert marks == [True, False, True]


def test_a_failure_is_told_with_its_kind_and_reason(
    make: Any, trials: Trials, screen: io.StringIO
) -> None:
    with make() as display:
        told = trials.tell(
            trials.ask("lr=1"), end="failed", failure="oom", reason="too large."
        )
        display.ended(told)
    assert screen.getvalue() == "trial 0 failed (oom) in 12 s: too large. lr=1\n"


def test_a_trial_without_changes_and_one_that_continues_are_described(
    make: Any, trials: Trials, screen: io.StringIO
) -> None:
    with make() as display:
        display.began(trials.ask())
        display.began(trials.ask("lr=1", parent=0, epochs=6))
    assert screen.getvalue().splitlines() == [
        "trial 0 runs: the config as it is",
        "trial 1 runs: lr=1 (continues trial 0), to epoch 6",
    ]


def test_a_search_that_goes_on_says_so(
    make: Any, trials: Trials, screen: io.StringIO
) -> None:
    trials.tell(trials.ask(), objective=0.5)
    trials.ask()
    with make():
        pass
    assert screen.getvalue() == "The search goes on after 1 trial.\n"


def test_a_search_that_had_its_trials_does_not_say_that_it_goes_on(
    make: Any, trials: Trials, screen: io.StringIO
) -> None:
    trials.tell(trials.ask(), objective=0.5)
    with make(max_trials=1):
        pass
    assert screen.getvalue().startswith("The search has had its 1 trial;")


def test_the_current_line_tells_what_is_done_best_and_left(
    make: Any, trials: Trials
) -> None:
    display = make(max_trials=4)
    assert now(display) == ["0 of 4 trials", "0.0 s"]
    display.ended(trials.tell(trials.ask(), objective=0.5, seconds=10.0))
    display.ended(trials.tell(trials.ask(), objective=0.7, seconds=20.0))
    display.began(trials.ask())
    total, best, running, took, left = now(display)
    assert total == "2 of 4 trials"
    assert best == "best val_accuracy 0.7000 (trial 1)"
    assert running.startswith("running: 2 (0.")
    assert took.endswith(" s")
    assert left == "about 30 s left"


def test_trials_side_by_side_take_less_time(make: Any, trials: Trials) -> None:
    display = make(max_trials=5, n_jobs=2)
    display.ended(trials.tell(trials.ask(), objective=0.5, seconds=100.0))
    assert now(display)[-1] == "about 3 min 20 s left"


def test_without_a_budget_nothing_is_promised(make: Any, trials: Trials) -> None:
    display = make(oracle="grid", max_trials=None)
    display.ended(trials.tell(trials.ask(), objective=0.5))
    parts = now(display)
    assert parts[0] == "1 trial"
    assert not any("left" in part for part in parts)


def test_a_terminal_shows_the_current_line(
    make: Any, trials: Trials, screen: io.StringIO
) -> None:
    with make(terminal=True) as display:
        display.began(trials.ask())
        display.ended(trials.tell(trials.ask(), objective=0.5))
    shown = screen.getvalue()
    assert "of 10 trials" in shown
    assert "trial 0 runs" not in shown  # the current line says it
    assert "complete: val_accuracy 0.5000" in shown


def test_the_line_may_be_drawn_while_trials_begin_and_end(
    make: Any, trials: Trials, fast_switching: None
) -> None:
    display = make(n_jobs=2, max_trials=None, oracle="grid")
    some = [trials.ask() for _ in range(100)]
    ended = threading.Event()
    problems: list[Exception] = []

    def draw() -> None:
        while not ended.is_set() and not problems:
            try:
                now(display)
            except Exception as error:
                problems.append(error)

    thread = threading.Thread(target=draw)
    thread.start()
    deadline = time.monotonic() + 1
    while time.monotonic() < deadline and not problems:
        for trial in some:
            display.began(trial)
        for trial in some:
            display.ended(trial)
    ended.set()
    thread.join()
    assert not problems


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.04, "0.0 s"),
        (9.4, "9.4 s"),
        (9.96, "10 s"),
        (12, "12 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (185, "3 min 05 s"),
        (3599.6, "1 h 00 min"),
        (7800, "2 h 10 min"),
    ],
)
def test_a_duration_is_easy_to_read(seconds: float, text: str) -> None:
    assert format_seconds(seconds) == text
