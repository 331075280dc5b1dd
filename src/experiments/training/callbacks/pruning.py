"""Ends a trial that is hopeless beside the others of its sweep or search."""

import logging
import statistics
from collections.abc import Callable, Mapping, Sequence
from math import inf, isfinite
from typing import Any, TypedDict

import keras

from experiments.config.kinds.objective import Mode, Objective
from experiments.counts import agree, count_of
from experiments.errors import summarise_error
from experiments.shapes import conform
from experiments.training.metrics import read_metric

log = logging.getLogger(__name__)

Histories = Mapping[str, Sequence[float]]
"""Sibling -> the monitored value at its epochs 1 to n."""
Read = Callable[[], Histories]


class _Memory(TypedDict):
    score: float | None
    pruned: str | None


class Pruner(keras.callbacks.Callback):
    """What pruners share: they compare best values so far, never the last epoch's.

    The best value is what a job is judged by in the end, and it does not depend on
    the noise of one epoch. Values that are not finite count for nothing. The last
    epoch is not judged, nor one after which training ends anyway.

    Args:
        monitor: Metric to compare.
        mode: Whether a larger or a smaller value is better; `auto` leaves it to the
            name.
        siblings: Given the name of a metric, returns what reads its histories of the
            other trials, each time anew; `None` outside a sweep, where nothing is ever
            pruned.

    Attributes:
        pruned: Why training was ended, one sentence; `None` as long as it was not.
    """

    def __init__(
        self,
        *,
        monitor: str,
        mode: Mode = "auto",
        siblings: Callable[[str], Read] | None = None,
    ) -> None:
        super().__init__()
        self.pruned: str | None = None
        self._objective = Objective(monitor, mode)
        self._siblings = None if siblings is None else siblings(monitor)
        self._score = -inf
        self._warned = False

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Forgets an earlier training."""
        self.pruned, self._score = None, -inf

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Ends training when it is hopeless."""
        if self._siblings is None:
            return
        name = self._objective.name
        value = read_metric(logs or {}, name, "The pruner's monitor")
        self._score = max(self._score, self._objective.score(value))
        ends = self.model.stop_training or epoch + 1 >= self.params["epochs"]
        if not ends and self._is_due(epoch + 1):
            self._judge(epoch + 1, self._siblings)

    def get_state(self) -> dict[str, Any]:
        """Returns the best value's score and why training ended, ready for JSON."""
        score = self._score if isfinite(self._score) else None
        return {"score": score, "pruned": self.pruned}

    def set_state(self, state: dict[str, Any]) -> None:
        """Takes up what `get_state` returned."""
        memory: _Memory = conform(state, _Memory)
        score = memory["score"]
        self._score = -inf if score is None else score
        self.pruned = memory["pruned"]

    def _is_due(self, epoch: int) -> bool:
        """Tells whether the trial is judged after an epoch, counted from 1."""
        raise NotImplementedError

    def _find_bar(self, others: Sequence[float]) -> tuple[float, str] | None:
        """Returns the least score that may go on and what it is; `None` for all."""
        raise NotImplementedError

    def _show(self, score: float) -> str:
        value = self._objective.sign * score
        return f"{value:.4g}" if isfinite(value) else "nan"

    def _judge(self, epoch: int, siblings: Read) -> None:
        others = scores_at(self._try(siblings), epoch, self._objective)
        bar = self._find_bar(others)
        if bar is None or self._score >= bar[0]:
            return
        side = "below" if self._objective.direction == "max" else "above"
        self.pruned = (
            f"pruned after epoch {epoch}: best {self._objective.name} "
            f"{self._show(self._score)} is {side} {bar[1]}"
        )
        self.model.stop_training = True

    def _try(self, siblings: Read) -> Histories:
        try:
            return siblings()
        except Exception as error:  # no reason to lose a training
            if not self._warned:
                log.warning(
                    "The trial is not pruned, its siblings cannot be read: %s",
                    summarise_error(error),
                )
            self._warned = True
            return {}


class MedianPruner(Pruner):
    """Ends a trial whose best value is worse than the median of the others' best.

    Reference:
        Golovin et al. 2017, "Google Vizier: A Service for Black-Box Optimization",
        section 3.2.2. There the median is over the running averages of completed
        trials; here it is over their best values so far, a stricter bar, and trials
        that still run count too as soon as they have reached the epoch, so that a
        sweep whose jobs run side by side prunes as well.

    Args:
        monitor: Metric to compare.
        mode: Whether a larger or a smaller value is better; `auto` leaves it to the
            name.
        warmup_epochs: Epochs that are not judged.
        min_siblings: Fewest other trials that make a median, at least 1.
        siblings: See `Pruner`.
    """

    def __init__(
        self,
        *,
        monitor: str,
        mode: Mode = "auto",
        warmup_epochs: int,
        min_siblings: int,
        siblings: Callable[[str], Read] | None = None,
    ) -> None:
        super().__init__(monitor=monitor, mode=mode, siblings=siblings)
        self._warmup_epochs = warmup_epochs
        self._min_siblings = min_siblings

    def _is_due(self, epoch: int) -> bool:
        return epoch > self._warmup_epochs

    def _find_bar(self, others: Sequence[float]) -> tuple[float, str] | None:
        if len(others) < self._min_siblings:
            return None
        bar = statistics.median(others)
        return bar, f"the median {self._show(bar)} of {count_of(len(others), 'trial')}"


class SuccessiveHalvingPruner(Pruner):
    """Ends a trial that is not among the best 1/factor at a rung.

    Rungs are the epochs `min_epochs * factor**k`. Equal values pass together.

    Reference:
        Li et al. 2020, "A System for Massively Parallel Hyperparameter Tuning",
        arXiv:1810.05934, algorithm 2. There a trial waits at a rung and may be
        promoted later; here it is decided upon when it arrives and nothing waits, and
        of the first trials, too few for a whole 1/factor, the best so far goes on.
        Compared are the best values up to the rung, not those of its epoch.

    Args:
        monitor: Metric to compare.
        mode: Whether a larger or a smaller value is better; `auto` leaves it to the
            name.
        min_epochs: The first rung, at least 1.
        factor: One in so many goes on, at least 2.
        siblings: See `Pruner`.
    """

    def __init__(
        self,
        *,
        monitor: str,
        mode: Mode = "auto",
        min_epochs: int,
        factor: int,
        siblings: Callable[[str], Read] | None = None,
    ) -> None:
        super().__init__(monitor=monitor, mode=mode, siblings=siblings)
        self._min_epochs = min_epochs
        self._factor = factor

    def _is_due(self, epoch: int) -> bool:
        return is_rung(epoch, self._min_epochs, self._factor)

    def _find_bar(self, others: Sequence[float]) -> tuple[float, str] | None:
        scores = sorted([self._score, *others], reverse=True)
        passing = max(len(scores) // self._factor, 1)
        bar = scores[passing - 1]
        trials = count_of(len(scores), "trial")
        last = agree(passing, "the best", f"the last of the best {passing}")
        words = f"{last} of {trials}"
        return bar, f"{self._show(bar)}, {words}"


def scores_at(histories: Histories, epoch: int, objective: Objective) -> list[float]:
    """Returns the best score up to an epoch of each trial that has reached it.

    Args:
        histories: Of the trials.
        epoch: Counted from 1.
        objective: What is compared.
    """
    reached = [values for values in histories.values() if len(values) >= epoch]
    return [max(map(objective.score, values[:epoch])) for values in reached]


def is_rung(epoch: int, min_epochs: int, factor: int) -> bool:
    """Tells whether an epoch is `min_epochs * factor**k` for a k from 0 on."""
    rung = min_epochs
    while rung < epoch:
        rung *= factor
    return rung == epoch
