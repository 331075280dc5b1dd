import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from experiments.search.disk import WeightKeeper
from experiments.search.trials.trial import Outcome, Proposal, Trial


class Trials:
    """Stands for a proposer: trials, and which of them Hyperband may promote."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.trials: list[Trial] = []
        self.promotable: set[int] = set()

    def may_continue(self, number: int) -> bool:
        return number in self.promotable

    def add(
        self,
        value: float | None = None,
        *,
        parent: int | None = None,
        running: bool = False,
        size: int = 1000,
    ) -> int:
        """Adds a trial with a checkpoint; one with a parent has the parent's folder."""
        number = len(self.trials)
        folder = self.folder / str(number)
        if parent is not None:
            folder = self.of(parent)
        outcome = Outcome(
            end="failed" if value is None else "complete",
            objective=value,
            folders=(str(folder),),
        )
        proposal = Proposal(number=number, values={}, parent=parent)
        end = None if running else outcome
        self.trials.append(Trial(proposal=proposal, outcome=end))
        (folder / "checkpoints").mkdir(parents=True, exist_ok=True)
        (folder / "checkpoints" / f"{number}.safetensors").write_bytes(b"x" * size)
        (folder / "result.json").write_text("{}")
        return number

    def of(self, number: int) -> Path:
        outcome = self.trials[number].outcome
        assert outcome is not None
        return Path(outcome.folders[0])

    @property
    def kept(self) -> list[int]:
        """The trials that still have weights."""
        ended = [t.number for t in self.trials if t.outcome is not None]
        return [n for n in ended if (self.of(n) / "checkpoints").is_dir()]


@pytest.fixture
def trials(tmp_path: Path) -> Trials:
    return Trials(tmp_path)


@pytest.fixture
def look(settings: Any, trials: Trials) -> Callable[..., None]:
    """Lets a keeper look at the trials after the last one has ended."""

    def look(**changed: Any) -> None:
        keeper = WeightKeeper(settings(**changed), trials, trials.folder)  # type: ignore[arg-type]
        keeper.began(trials.trials[-1])
        keeper.ended(trials.trials[-1])

    return look


@pytest.mark.parametrize(
    ("direction", "kept"), [("max", [1, 3]), ("min", [0, 2])], ids=["max", "min"]
)
def test_the_best_trials_keep_their_weights(
    trials: Trials, look: Any, settings: Any, direction: Any, kept: list[int]
) -> None:
    for value in (0.1, 0.9, 0.2, 0.8):
        trials.add(value)
    objective = type(settings().objective)(name="x", direction=direction)
    look(keep_top=2, objective=objective)
    assert trials.kept == kept


def test_results_stay_where_weights_go(trials: Trials, look: Any) -> None:
    trials.add(0.5)
    look(keep_top=0)
    assert trials.kept == []
    assert (trials.of(0) / "result.json").exists()


def test_a_failed_trial_ranks_behind_all_others(trials: Trials, look: Any) -> None:
    trials.add(None)
    trials.add(0.1)
    look(keep_top=1)
    assert trials.kept == [1]


def test_a_trial_without_a_folder_is_no_obstacle(trials: Trials, look: Any) -> None:
    trials.trials.append(
        Trial(
            proposal=Proposal(number=0, values={}),
            outcome=Outcome(end="failed", failure="config"),
        )
    )
    look(keep_top=0)


def test_a_trial_that_may_be_promoted_keeps_its_state(
    trials: Trials, look: Any
) -> None:
    for value in (0.1, 0.2, 0.9):
        trials.add(value)
    trials.promotable = {0}
    look(keep_top=1)
    assert trials.kept == [0, 2]


def test_a_trial_that_runs_keeps_what_it_continues(trials: Trials, look: Any) -> None:
    trials.add(0.1)
    trials.add(0.2, parent=0)
    trials.add(parent=1, running=True)
    trials.add(0.9)
    look(keep_top=1, max_disk_gb=1e-9)
    assert trials.kept == [0, 1]


def test_a_trial_that_may_be_promoted_keeps_what_it_has_continued(
    trials: Trials, look: Any
) -> None:
    trials.add(0.1)
    trials.add(0.2, parent=0)
    trials.add(0.9)
    trials.promotable = {1}
    look(keep_top=1)
    assert trials.kept == [0, 1, 2]


def test_the_best_trial_keeps_the_folder_that_it_shares_with_a_worse_one(
    trials: Trials, look: Any
) -> None:
    trials.add(0.1)
    trials.add(0.9, parent=0)
    trials.add(0.5)
    look(keep_top=1)
    assert trials.kept == [0, 1]


def test_the_weights_of_all_seeds_of_a_trial_go_together(
    trials: Trials, look: Any, tmp_path: Path
) -> None:
    folders = [tmp_path / f"seed-{seed}" for seed in range(3)]
    for folder in folders:
        (folder / "checkpoints").mkdir(parents=True)
    outcome = Outcome(end="complete", objective=0.1, folders=tuple(map(str, folders)))
    trials.trials.append(Trial(proposal=Proposal(number=0, values={}), outcome=outcome))
    trials.add(0.9)
    look(keep_top=1)
    assert not any((folder / "checkpoints").exists() for folder in folders)
    assert trials.kept == [1]


@pytest.mark.parametrize(
    ("limit", "kept"),
    [(4e-6, [0, 1, 2]), (3e-6, [0, 1, 2]), (2e-6, [0, 1]), (1e-6, [1]), (1e-9, [])],
)
def test_weights_go_from_the_worst_on_until_the_rest_fits(
    trials: Trials, look: Any, limit: float, kept: list[int]
) -> None:
    for value in (0.2, 0.9, 0.1):
        trials.add(value, size=1000)
    look(keep_top=3, max_disk_gb=limit)
    assert trials.kept == kept


def test_a_full_disk_takes_the_second_best_before_what_the_best_was_made_from(
    trials: Trials, look: Any
) -> None:
    trials.add(0.1)
    trials.add(0.9, parent=0)  # 2000 bytes together
    trials.add(0.5)
    look(keep_top=3, max_disk_gb=2.5e-6)
    assert trials.kept == [0, 1]


def test_weights_that_cannot_be_removed_are_a_warning(
    trials: Trials,
    look: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(shutil, "rmtree", refuse)
    trials.add(0.5)
    with caplog.at_level(logging.WARNING):
        look(keep_top=0)
    assert "counts no more but stays" in caplog.text
    assert trials.kept == [0]
