"""Which trials keep their weights: the best ones, as far as the disk allows."""

import logging
import shutil
from collections.abc import Iterable
from pathlib import Path

from experiments.config.search import SearchConfig
from experiments.search.proposer import Proposer
from experiments.search.trial import Trial, rank_trials

log = logging.getLogger(__name__)

_CHECKPOINTS = "checkpoints"


class WeightKeeper:
    """Removes the checkpoints of trials that are neither good nor still needed.

    Metrics and results stay. A trial that Hyperband may promote keeps its state, for
    it will go on from there.

    Args:
        search: Says how many trials and gigabytes to keep.
        proposer: Knows all trials.
    """

    def __init__(self, search: SearchConfig, proposer: Proposer) -> None:
        self._search = search
        self._proposer = proposer

    def began(self, trial: Trial) -> None:
        """Does nothing."""

    def ended(self, trial: Trial) -> None:
        """Looks at all trials again."""
        ranked = self._rank()
        kept = ranked[: self._search.keep_top]
        for other in ranked[self._search.keep_top :]:
            if not self._proposer.may_continue(other.number):
                self._remove(other, spare=kept)
        limit = self._search.max_disk_gb
        if limit is None:
            return
        # The best one goes last.
        for other in reversed(ranked):
            if measure_folders(_folders(ranked)) <= limit * 1e9:
                return
            self._remove(other)

    def _rank(self) -> list[Trial]:
        """Returns the trials that ended, from best to worst, failed ones last."""
        trials = self._proposer.trials
        ended = [t for t in trials if t.outcome is not None]
        scored = rank_trials(ended, self._search.objective.direction)
        return [*scored, *(t for t in ended if t.objective is None)]

    def _remove(self, trial: Trial, spare: Iterable[Trial] = ()) -> None:
        running = {
            folder
            for other in self._proposer.trials
            if other.outcome is None and other.proposal.parent == trial.number
            for folder in _folders([trial])
        }
        needed = running | set(_folders(spare))
        for folder in _folders([trial]):
            if folder in needed or not folder.is_dir():
                continue
            try:
                shutil.rmtree(folder)
            except OSError as error:
                log.warning("%s counts no more but stays: %s", folder, error)


def measure_folders(folders: Iterable[Path]) -> int:
    """Returns the bytes of all files directly in some folders."""
    return sum(
        path.stat().st_size
        for folder in set(folders)
        if folder.is_dir()
        for path in folder.iterdir()
    )


def _folders(trials: Iterable[Trial]) -> list[Path]:
    return [
        Path(trial.outcome.folder) / _CHECKPOINTS
        for trial in trials
        if trial.outcome is not None and trial.outcome.folder
    ]
