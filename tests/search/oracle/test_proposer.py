import math
import shutil
from pathlib import Path
from typing import Any

import pytest

from experiments import job_files
from experiments.errors import ExperimentError
from experiments.search.oracle.proposer import Proposer
from experiments.search.trials.journal import (
    keep_order,
    parse_answer,
    read_trials,
)
from experiments.search.trials.trial import Outcome, Proposal

SPACE = ("lr=tag(log,interval(1e-5,1e-1))", "size=range(16,65,16)", "model=a,b")


def score(proposal: Proposal) -> float:
    """Best at lr=1e-3 and size=48, worse with model b."""
    values = proposal.values
    distance = abs(math.log10(float(values["lr"])) + 3)
    penalty = 0.2 if values["model"] == "b" else 0.0
    return 1 - 0.2 * distance - abs(int(values["size"]) - 48) / 100 - penalty


def drive(proposer: Proposer, *, most: int = 1000) -> list[dict[str, Any]]:
    """Runs trials in turn and returns what was proposed."""
    for _ in range(most):
        left = proposer.unfinished
        proposal = left[0] if left else proposer.ask()
        if not isinstance(proposal, Proposal):
            break
        outcome = Outcome(end="complete", objective=score(proposal))
        proposer.tell(proposal.number, outcome)
    return [dict(trial.proposal.values) for trial in proposer.trials]


@pytest.mark.parametrize("oracle", ["random", "bayesian", "grid"])
def test_an_oracle_proposes_as_many_trials_as_it_may(
    oracle: str, settings: Any, space_of: Any, tmp_path: Path
) -> None:
    search = settings(oracle=oracle, max_trials=7)
    proposed = drive(Proposer(search, space_of(*SPACE), None, tmp_path))
    assert len(proposed) == 7
    assert len({str(values) for values in proposed}) == 7
    for values in proposed:
        assert 1e-5 <= values["lr"] <= 1e-1
        assert values["size"] in (16, 32, 48, 64)
        assert values["model"] in ("a", "b")


def test_the_grid_has_every_combination_once(
    settings: Any, space_of: Any, tmp_path: Path
) -> None:
    search = settings(oracle="grid", max_trials=None)
    space = space_of("a=1,2,3", "b=x,y")
    proposed = drive_without_score(Proposer(search, space, None, tmp_path))
    assert sorted((v["a"], v["b"]) for v in proposed) == [
        (a, b) for a in (1, 2, 3) for b in ("x", "y")
    ]


def drive_without_score(proposer: Proposer) -> list[dict[str, Any]]:
    while isinstance(proposal := proposer.ask(), Proposal):
        proposer.tell(proposal.number, Outcome(end="complete", objective=0.0))
    return [dict(trial.proposal.values) for trial in proposer.trials]


def test_the_grid_does_not_wait_for_running_trials(
    settings: Any, space_of: Any, tmp_path: Path
) -> None:
    search = settings(oracle="grid", max_trials=None)
    proposer = Proposer(search, space_of("a=1,2,3", "b=x,y"), None, tmp_path)
    asked = [proposer.ask() for _ in range(6)]
    assert all(isinstance(proposal, Proposal) for proposal in asked)
    assert proposer.ask() == "wait"


def test_a_random_search_ends_when_a_small_space_is_used_up(
    settings: Any, space_of: Any, tmp_path: Path
) -> None:
    proposer = Proposer(settings(max_trials=50), space_of("a=1,2,3"), None, tmp_path)
    proposed = drive_without_score(proposer)
    assert sorted(values["a"] for values in proposed) == [1, 2, 3]


@pytest.mark.parametrize("oracle", ["random", "bayesian", "grid", "hyperband"])
def test_trial_0_is_the_config_as_it_is(
    oracle: str, settings: Any, space_of: Any, tmp_path: Path
) -> None:
    start = {"lr": 2e-4, "size": 32, "model": "b"}
    space = space_of("lr=0.0002,0.1", *SPACE[1:])
    search = settings(oracle=oracle, max_trials=3)
    first, second, *_ = drive(Proposer(search, space, start, tmp_path))
    assert first == start
    assert second != start


@pytest.mark.parametrize("oracle", ["random", "bayesian", "grid", "hyperband"])
def test_a_search_killed_after_each_step_proposes_what_an_undisturbed_one_does(
    oracle: str, settings: Any, space_of: Any, tmp_path: Path
) -> None:
    search = settings(oracle=oracle, max_trials=6)
    expected = drive(Proposer(search, space_of(*SPACE), None, tmp_path / "whole"))
    proposed: list[dict[str, Any]] = []
    for _ in range(60):
        # Nothing is closed, as after SIGKILL; every second process dies in a trial.
        proposer = Proposer(search, space_of(*SPACE), None, tmp_path / "killed")
        proposed = drive(proposer, most=1)
        proposer = Proposer(search, space_of(*SPACE), None, tmp_path / "killed")
        if not proposer.unfinished and proposer.ask() == "end":
            break
    assert proposed == expected


def test_max_trials_can_be_raised_afterwards(
    settings: Any, space_of: Any, tmp_path: Path
) -> None:
    space = space_of(*SPACE)
    few = drive(Proposer(settings(max_trials=3), space, None, tmp_path / "a"))
    more = drive(Proposer(settings(max_trials=12), space, None, tmp_path / "a"))
    assert more[:3] == few
    assert more == drive(Proposer(settings(max_trials=12), space, None, tmp_path / "b"))


def test_max_trials_can_be_lowered_below_what_has_run(
    settings: Any, space_of: Any, tmp_path: Path
) -> None:
    space = space_of(*SPACE)
    drive(Proposer(settings(max_trials=5), space, None, tmp_path))
    assert len(drive(Proposer(settings(max_trials=2), space, None, tmp_path))) == 5


def test_conditional_parameters_are_absent_where_their_condition_fails(
    settings: Any, space_of: Any, tmp_path: Path
) -> None:
    space = space_of(
        "optimizer=adam,sgd", "momentum=interval(0,1)", momentum="optimizer=sgd"
    )
    proposed = drive_without_score(
        Proposer(settings(max_trials=20), space, None, tmp_path)
    )
    assert {v["optimizer"] for v in proposed} == {"adam", "sgd"}
    for values in proposed:
        assert ("momentum" in values) == (values["optimizer"] == "sgd")


def test_a_condition_on_whole_numbers_holds_with_those_alone(
    settings: Any, space_of: Any, tmp_path: Path
) -> None:
    space = space_of("layers=range(0,4)", "rate=interval(0,1)", rate="layers=2,3")
    proposed = drive_without_score(
        Proposer(settings(max_trials=30), space, None, tmp_path)
    )
    assert {v["layers"] for v in proposed} == {0, 1, 2, 3}
    for values in proposed:
        assert ("rate" in values) == (values["layers"] in {2, 3})


def test_a_search_goes_on_with_its_parameters_in_another_order(
    settings: Any, space_of: Any, tmp_path: Path
) -> None:
    space = keep_order(space_of(*SPACE), tmp_path)
    before = drive(Proposer(settings(max_trials=5), space, None, tmp_path))
    other = keep_order(space_of(*reversed(SPACE)), tmp_path)
    after = drive(Proposer(settings(max_trials=8), other, None, tmp_path))
    assert (len(after), after[:5]) == (8, before)


@pytest.mark.parametrize("text", ["", "[", "3", '["lr"]', '["lr", "size", 3]'])
def test_an_order_that_is_none_of_the_keys_is_refused(
    space_of: Any, tmp_path: Path, text: str
) -> None:
    (tmp_path / job_files.ORDER).write_text(text)
    with pytest.raises(ExperimentError, match=r"lr, size, model.*Delete it"):
        keep_order(space_of(*SPACE), tmp_path)


def test_hyperband_promotes_the_best_trials_and_names_their_parents(
    settings: Any, space_of: Any, tmp_path: Path
) -> None:
    search = settings(oracle="hyperband", max_trials=None)
    proposer = Proposer(search, space_of(*SPACE), None, tmp_path)
    drive(proposer)
    trials = proposer.trials
    first_rung = [t for t in trials if t.proposal.epochs == 2]
    promoted = [t for t in trials if t.proposal.parent is not None]
    assert promoted
    best = sorted(first_rung, key=lambda t: -(t.objective or 0))[: len(promoted)]
    assert {t.proposal.parent for t in promoted} == {t.number for t in best}
    assert {t.proposal.epochs for t in promoted} == {6}
    for trial in promoted:
        parent = trials[trial.proposal.parent or 0]
        assert trial.proposal.values == parent.proposal.values


def test_hyperband_goes_on_when_trials_of_a_round_fail(
    settings: Any, space_of: Any, tmp_path: Path
) -> None:
    search = settings(oracle="hyperband", max_trials=None)
    proposer = Proposer(search, space_of(*SPACE), None, tmp_path)
    while isinstance(proposal := proposer.ask(), Proposal):
        failed = proposal.epochs == 2 and proposal.number % 4 != 3
        outcome = (
            Outcome(end="failed", failure="oom", reason="too large")
            if failed
            else Outcome(end="complete", objective=score(proposal))
        )
        proposer.tell(proposal.number, outcome)
    promoted = [t for t in proposer.trials if t.proposal.parent is not None]
    assert promoted
    assert any(proposer.trials[t.proposal.parent or 0].objective for t in promoted)


@pytest.mark.parametrize("oracle", ["bayesian", "hyperband", "random"])
def test_any_number_of_failures_in_a_row_does_not_end_a_search(
    oracle: str, settings: Any, space_of: Any, tmp_path: Path
) -> None:
    search = settings(oracle=oracle, max_trials=9)
    proposer = Proposer(search, space_of(*SPACE), None, tmp_path)
    while isinstance(proposal := proposer.ask(), Proposal):
        outcome = Outcome(end="failed", failure="nan", reason="loss is nan")
        proposer.tell(proposal.number, outcome)
    assert len(proposer.trials) == 9


def test_the_bayesian_oracle_leaves_a_region_that_fails(
    settings: Any, space_of: Any, tmp_path: Path
) -> None:
    """Half of the space fails; Keras Tuner alone would go on proposing it."""
    search = settings(oracle="bayesian", max_trials=24)
    proposer = Proposer(search, space_of("x=interval(0,1)"), None, tmp_path)
    while isinstance(proposal := proposer.ask(), Proposal):
        x = float(proposal.values["x"])
        # Rises towards the half that fails.
        outcome = (
            Outcome(end="failed", failure="oom", reason="too large")
            if x > 0.5
            else Outcome(end="complete", objective=x)
        )
        proposer.tell(proposal.number, outcome)
    late = [float(t.proposal.values["x"]) for t in proposer.trials[12:]]
    assert sum(x <= 0.6 for x in late) >= 8


def test_the_journal_alone_tells_all_trials(
    settings: Any, space_of: Any, tmp_path: Path
) -> None:
    proposer = Proposer(settings(max_trials=4), space_of(*SPACE), None, tmp_path)
    drive(proposer)
    assert read_trials(tmp_path) == list(proposer.trials)


def test_a_copied_search_has_the_folders_of_the_copy(
    settings: Any, space_of: Any, tmp_path: Path
) -> None:
    """Its keeper of weights would remove those of the original."""
    search, space = settings(max_trials=2), space_of(*SPACE)
    original = Proposer(search, space, None, tmp_path / "original" / "search")
    for name in ("a", "b"):
        proposal = original.ask()
        assert isinstance(proposal, Proposal)
        folder = str(tmp_path / "original" / name)
        outcome = Outcome(end="complete", objective=0.5, folders=(folder,))
        original.tell(proposal.number, outcome)
    shutil.copytree(tmp_path / "original", tmp_path / "copy")
    copy = Proposer(search, space, None, tmp_path / "copy" / "search")
    read = read_trials(tmp_path / "copy" / "search")
    assert read == list(copy.trials)
    folders = [trial.outcome.folders for trial in read if trial.outcome]
    assert folders == [(str(tmp_path / "copy" / name),) for name in ("a", "b")]


def test_folders_of_an_earlier_release_are_looked_for_beside_the_journal(
    tmp_path: Path,
) -> None:
    """It wrote them as absolute paths."""
    outcome = Outcome(end="complete", folders=("/where/it/was/lr_0.1-abc",))
    content = {"number": 0, "outcome": outcome.as_dict()}
    assert parse_answer(content, tmp_path).folders == (str(tmp_path / "lr_0.1-abc"),)


def test_a_torn_last_line_is_asked_again(
    settings: Any, space_of: Any, tmp_path: Path
) -> None:
    space = space_of(*SPACE)
    expected = drive(Proposer(settings(), space, None, tmp_path))
    (journal,) = tmp_path.iterdir()
    journal.write_bytes(journal.read_bytes()[:-30])
    assert drive(Proposer(settings(), space, None, tmp_path)) == expected


def test_a_journal_of_another_oracle_is_refused(
    settings: Any, space_of: Any, tmp_path: Path
) -> None:
    drive(Proposer(settings(), space_of(*SPACE), None, tmp_path))
    with pytest.raises(ExperimentError, match="fresh=true"):
        Proposer(settings(seed=1), space_of(*SPACE), None, tmp_path)
