"""Which trials keep their weights: the best ones, as far as the disk allows."""

import logging
import shutil
from collections.abc import Iterable
from pathlib import Path

from experiments import job_files
from experiments.config.search.schema import SearchConfig
from experiments.records import OutsideError, resolve_inside
from experiments.search.oracle.proposer import Proposer
from experiments.search.trials.trial import Trial, rank_trials

log = logging.getLogger(__name__)


class WeightKeeper:
    """Removes the checkpoints of trials that are neither good nor still needed.

    Metrics and results stay. A trial that Hyperband may promote keeps its state, for
    it will go on from there.

    Args:
        search: Says how many trials and gigabytes to keep.
        proposer: Knows all trials.
        folder: Of the sweep; nothing outside of it is removed.
    """

    def __init__(self, search: SearchConfig, proposer: Proposer, folder: Path) -> None:
        self._folder = folder
        self._search = search
        self._proposer = proposer

    def began(self, trial: Trial) -> None:
        """Does nothing."""

    def ended(self, trial: Trial) -> None:
        """Looks at all trials again."""
        ranked = self._rank()
        # A trial and the one that continues it have the same folder.
        kept = [t for t in ranked if self._proposer.may_continue(t.number)]
        kept += ranked[: self._search.keep_top]
        for other in ranked[self._search.keep_top :]:
            self._remove(other, spare=kept)
        limit = self._search.max_disk_gb
        if limit is None:
            return
        # The best one goes last, also where a worse one was an earlier part of it.
        for place in reversed(range(len(ranked))):
            if measure_folders(_folders(ranked)) <= limit * 1e9:
                return
            self._remove(ranked[place], spare=ranked[:place])

    def _rank(self) -> list[Trial]:
        """Returns the trials that ended, from best to worst, failed ones last."""
        trials = self._proposer.trials
        ended = [t for t in trials if t.outcome is not None]
        scored = rank_trials(ended, self._search.objective)
        return [*scored, *(t for t in ended if t.objective is None)]

    def _remove(self, trial: Trial, spare: Iterable[Trial]) -> None:
        needed = set(_folders([*spare, *self._continued()]))
        for folder in _folders([trial]):
            if folder in needed or not folder.is_dir():
                continue
            try:
                resolve_inside(self._folder, folder)
                shutil.rmtree(folder)
            except (OSError, OutsideError) as error:
                log.warning("%s counts no more but stays: %s", folder, error)

    def _continued(self) -> list[Trial]:
        """Returns the trials that one which runs is a continuation of."""
        trials = self._proposer.trials
        parents = [t.proposal.parent for t in trials if t.outcome is None]
        found = []
        while parents:
            number = parents.pop()
            if number is not None:
                found.append(trials[number])
                parents.append(trials[number].proposal.parent)
        return found


def measure_folders(folders: Iterable[Path]) -> int:
    """Returns the bytes of all files directly in some folders."""
    return sum(
        _measure_file(path)
        for folder in set(folders)
        if folder.is_dir()
        for path in folder.iterdir()
    )


def _measure_file(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # a running trial has just replaced it
        return 0


def _folders(trials: Iterable[Trial]) -> list[Path]:
    return [
        Path(folder) / job_files.CHECKPOINTS
        for trial in trials
        if trial.outcome is not None
        for folder in trial.outcome.folders
    ]
