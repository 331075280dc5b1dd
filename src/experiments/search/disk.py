"""Which trials keep their weights: the best ones, as far as the disk allows."""

from collections.abc import Iterable
from pathlib import Path

from experiments.config.search.schema import SearchConfig
from experiments.search.oracle.proposer import Proposer
from experiments.search.trials.trial import Trial, rank_trials
from experiments.workers.weights import find_weights, measure_folders, remove_weights


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
            if folder not in needed and folder.is_dir():
                remove_weights(folder, within=self._folder)

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


def _folders(trials: Iterable[Trial]) -> list[Path]:
    return [
        find_weights(Path(folder))
        for trial in trials
        if trial.outcome is not None
        for folder in trial.outcome.folders
    ]
