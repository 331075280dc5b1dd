import gc
import threading
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest

from experiments.errors import ExperimentError, Preempted
from experiments.search.driver import Driver
from experiments.search.oracle.proposer import Proposer
from experiments.search.trials.trial import Outcome, Proposal, Trial


class Events:
    """Keeps what a driver tells."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, int]] = []

    def began(self, trial: Trial) -> None:
        self.seen.append(("began", trial.number))

    def ended(self, trial: Trial) -> None:
        self.seen.append(("ended", trial.number))


def good(proposal: Proposal) -> Outcome:
    return Outcome(end="complete", objective=float(proposal.number))


@pytest.fixture
def proposer(settings: Any, space_of: Any, tmp_path: Path) -> Proposer:
    search = settings(max_trials=6)
    return Proposer(search, space_of("x=interval(0,1)"), None, tmp_path)


@pytest.mark.parametrize("n_jobs", [1, 3])
def test_every_trial_begins_and_ends_once(proposer: Proposer, n_jobs: int) -> None:
    events = Events()
    driver = Driver(proposer=proposer, run_trial=good, n_jobs=n_jobs, watchers=[events])
    trials = driver.run()
    assert [trial.objective for trial in trials] == [0, 1, 2, 3, 4, 5]
    assert sorted(events.seen) == [
        (kind, n) for kind in ("began", "ended") for n in range(6)
    ]


def test_so_many_trials_are_in_flight_and_no_more(proposer: Proposer) -> None:
    """Each waits for two others, and six trials end; a fourth one would be counted."""
    lock, running, most = threading.Lock(), 0, 0
    three = threading.Barrier(3, timeout=60)

    def run(proposal: Proposal) -> Outcome:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        three.wait()
        with lock:
            running -= 1
        return good(proposal)

    Driver(proposer=proposer, run_trial=run, n_jobs=3).run()
    assert most == 3


def test_the_next_trial_starts_when_one_ends(proposer: Proposer) -> None:
    """Trial 0 lasts until all others are done: nobody waits for it."""
    others = threading.Event()
    done: list[int] = []

    def run(proposal: Proposal) -> Outcome:
        if proposal.number == 0:
            assert others.wait(20)
        done.append(proposal.number)
        if len(done) == 5:
            others.set()
        return good(proposal)

    Driver(proposer=proposer, run_trial=run, n_jobs=2).run()
    assert done[-1] == 0


def test_a_trial_leaves_its_record_in_memory_and_nothing_else(
    settings: Any, space_of: Any, tmp_path: Path
) -> None:
    search = settings(max_trials=51)
    proposer = Proposer(search, space_of("x=interval(0,1)"), None, tmp_path)
    alive: list[Counter[type]] = []

    def run(proposal: Proposal) -> Outcome:
        if proposal.number in (10, 30, 50):
            gc.collect()
            alive.append(Counter(map(type, gc.get_objects())))
        return good(proposal)

    Driver(proposer=proposer, run_trial=run).run()
    first, second, third = alive
    steadily = (second - first) & (third - second)
    grown = {kind: n for kind, n in steadily.items() if n >= 20}
    containers = sum(grown.pop(kind, 0) for kind in (list, dict, defaultdict, tuple))
    assert {kind.__name__ for kind in grown} == {
        *("HyperParameters", "Trial", "Proposal", "Outcome"),
    }
    assert set(grown.values()) == {20}
    assert containers <= 20 * 4


def test_failed_trials_do_not_end_a_search(proposer: Proposer) -> None:
    def run(proposal: Proposal) -> Outcome:
        return Outcome(end="failed", failure="killed", reason="SIGKILL")

    trials = Driver(proposer=proposer, run_trial=run).run()
    assert [trial.state for trial in trials] == ["failed (killed)"] * 6


def test_a_failed_trial_ends_a_search_that_is_to_stop(proposer: Proposer) -> None:
    def run(proposal: Proposal) -> Outcome:
        return Outcome(end="failed", failure="error", reason="no file x")

    driver = Driver(proposer=proposer, run_trial=run, on_failure="stop")
    with pytest.raises(ExperimentError, match="Trial 0 failed: no file x"):
        driver.run()
    assert len(proposer.trials) == 1


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_behind_an_obstacle_no_trial_starts_and_the_next_search_asks_for_it(
    proposer: Proposer, n_jobs: int
) -> None:
    obstacles = iter([None, None, Preempted("want of room")])
    driver = Driver(
        proposer=proposer,
        run_trial=good,
        n_jobs=n_jobs,
        find_obstacle=lambda: next(obstacles),
    )
    with pytest.raises(Preempted, match="want of room"):
        driver.run()
    ended = [trial.number for trial in proposer.trials if trial.outcome is not None]
    assert ended == [0, 1]
    assert [proposal.number for proposal in proposer.unfinished] == [2]


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_stopped_search_leaves_its_running_trials_unfinished(
    proposer: Proposer, n_jobs: int
) -> None:
    stopped = threading.Event()

    def run(proposal: Proposal) -> Outcome:
        if n_jobs > 1 and proposal.number == 1:
            assert stopped.wait(20)  # it has its result when the others are stopped
        if proposal.number < 2:
            return good(proposal)
        if n_jobs > 1 and proposal.number == 3:
            assert stopped.wait(20)
        raise Preempted("the search was stopped")

    driver = Driver(
        proposer=proposer, run_trial=run, n_jobs=n_jobs, stop=lambda _: stopped.set()
    )
    with pytest.raises(Preempted):
        driver.run()
    assert stopped.is_set() == (n_jobs > 1)
    assert all(p.number >= 2 for p in proposer.unfinished)
    assert proposer.unfinished


def test_unfinished_trials_come_first(
    proposer: Proposer, settings: Any, space_of: Any, tmp_path: Path
) -> None:
    asked = proposer.ask()
    assert isinstance(asked, Proposal)
    again = Proposer(
        settings(max_trials=6), space_of("x=interval(0,1)"), None, tmp_path
    )
    order: list[int] = []

    def run(proposal: Proposal) -> Outcome:
        order.append(proposal.number)
        return good(proposal)

    trials = Driver(proposer=again, run_trial=run).run()
    assert order == [0, 1, 2, 3, 4, 5]
    assert trials[0].proposal == asked


def test_a_trial_whose_parent_failed_is_not_run(
    settings: Any, space_of: Any, tmp_path: Path
) -> None:
    search = settings(oracle="hyperband", max_trials=None)
    proposer = Proposer(search, space_of("x=interval(0,1)"), None, tmp_path)
    ran: list[Proposal] = []

    def run(proposal: Proposal) -> Outcome:
        ran.append(proposal)
        return Outcome(end="failed", failure="nan", reason="loss is nan")

    trials = Driver(proposer=proposer, run_trial=run).run()
    assert all(proposal.parent is None for proposal in ran)
    reasons = [t.outcome.reason for t in trials if t.proposal.parent and t.outcome]
    assert all("which failed" in str(reason) for reason in reasons)
