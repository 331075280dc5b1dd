"""How far the other jobs of a sweep have come, as MLflow has it."""

import logging
import math
import time
from pathlib import Path
from typing import Any

from experiments.config.kinds.destination import Destination
from experiments.tracking.spool.spool import Spool
from experiments.tracking.store.client import Connection, attempt, connect
from experiments.tracking.store.failures import summarise
from experiments.tracking.store.links import locate
from experiments.tracking.store.runs.claimed_run import PARENT

_LOGGER = logging.getLogger(__name__)

_MOST = 50_000  # MLflow lists no more runs at once
_PAGE = 10  # ended runs listed at a time; mostly there is no more than one new
_RUNS = "attributes.status = 'RUNNING'"
_ENDED = "attributes.status != 'RUNNING'"
_MOST_EPOCHS = 1_000_000
_SHARE = 0.05  # of a training's time that may pass in waiting for a broken store


class SiblingHistories:
    """Reads one metric of all other runs below the same parent; never fails.

    With the embedded database a call takes about 30 ms, some 3 ms more for each sibling
    that runs, and once as much for each that has ended: 30 ms beside 20 ended trials
    of 10 epochs, 60 ms beside 20 running ones. After a failure the answer is empty for
    20 times as long as the failure took: a silent server takes 5 % of the time at most.

    Args:
        folder: Of the job.
        parent_dir: Of its sweep.
        destination: Where all of them are recorded.
        metric: Name of the metric, one value an epoch.
    """

    def __init__(
        self,
        folder: Path,
        parent_dir: Path,
        *,
        destination: Destination,
        metric: str,
    ) -> None:
        self._own = Spool(folder)
        self._parent = Spool(parent_dir)
        self._destination = destination
        self._metric = metric
        self._connection: Connection | None = None
        self._experiment_id = ""
        self._ended: dict[str, tuple[int | None, list[float]]] = {}
        self._not_before = 0.0
        self._warned = False

    def __call__(self) -> dict[str, list[float]]:
        """Returns run id -> the values of epochs 1 to n, NaN where one is missing.

        Empty as long as the run or its parent is not in MLflow yet, and while the
        store cannot be read, of which the first failure warns.
        """
        start = time.monotonic()
        if not self._destination.enabled or start < self._not_before:
            return {}
        try:
            store = locate(self._destination).name
            own, parent = self._own.read_run_id(store), self._parent.read_run_id(store)
            # Without its own id a run would be taken for a sibling of itself.
            return {} if own is None or parent is None else self._read(own, parent)
        except Exception as error:
            self._note_failure(summarise(error), time.monotonic() - start)
            return {}

    def _read(self, own: str, parent: str) -> dict[str, list[float]]:
        if self._connection is None:
            self._connection = connect(self._destination, create=False)
            self._experiment_id = _find_experiment(self._connection, parent)
        client, children = self._connection.client, f"tags.`{PARENT}` = '{parent}'"
        # In this order: one that ends in between is found twice, not missed.
        running = {
            run.info.run_id: self._history(client, run)
            for run in self._search(client, f"{children} AND {_RUNS}", size=_MOST)
            if run.info.run_id != own
        }
        # Only all at once: after a failure halfway the older ones would seem known.
        self._ended |= self._find_ended(client, f"{children} AND {_ENDED}")
        ended = {run_id: values for run_id, (_, values) in self._ended.items()}
        found = {**ended, **running}
        return {k: values for k, values in found.items() if values and k != own}

    def _find_ended(
        self, client: Any, query: str
    ) -> dict[str, tuple[int | None, list[float]]]:
        """Reads the runs that ended since, the latest first, until all are known."""
        found: dict[str, tuple[int | None, list[float]]] = {}
        token = None
        while True:
            page = self._search(client, query, size=_PAGE, token=token)
            # A run that was resumed ends at another time.
            new = [run for run in page if not self._knows(run.info)]
            for run in new:
                values = self._history(client, run)
                found[run.info.run_id] = run.info.end_time, values
            token = page.token
            if len(new) < len(page) or not token:
                return found

    def _knows(self, info: Any) -> bool:
        end, _ = self._ended.get(info.run_id, (None, []))
        return end is not None and end == info.end_time

    def _history(self, client: Any, run: Any) -> list[float]:
        """Returns the values of a run; empty without an epoch."""
        if self._metric not in run.data.metrics:
            return []
        read, run_id = client.get_metric_history, run.info.run_id
        points = attempt(lambda: read(run_id, self._metric), "read another trial")
        return _as_epochs(points)

    def _search(
        self, client: Any, query: str, *, size: int, token: str | None = None
    ) -> Any:
        """Returns a page of runs, those that ended last first."""
        return attempt(
            lambda: client.search_runs(
                [self._experiment_id],
                query,
                order_by=["attributes.end_time DESC"],
                max_results=size,
                page_token=token,
            ),
            "look for the other trials",
        )

    def _note_failure(self, reason: str, seconds: float) -> None:
        """Warns once; looks at everything anew, but not at once."""
        self._connection = None
        self._not_before = time.monotonic() + seconds / _SHARE
        if not self._warned:
            _LOGGER.warning(
                "The other trials of the sweep cannot be read: %s. Meanwhile this one "
                "is not compared with them.",
                reason.removesuffix("."),
            )
        self._warned = True


def _find_experiment(connection: Connection, run_id: str) -> str:
    """Returns the id of a run's experiment, which may have another name by now."""
    read = connection.client.get_run
    run = attempt(lambda: read(run_id), "look for the other trials")
    return str(run.info.experiment_id)


def _as_epochs(points: Any) -> list[float]:
    """Returns the values of epochs 1 to the last; of two for an epoch the first."""
    values: dict[int, float] = {}
    for point in sorted(points, key=lambda point: point.timestamp):
        if point.step <= _MOST_EPOCHS:  # else it is none of ours
            values.setdefault(point.step, float(point.value))
    last = max(values, default=0)
    return [values.get(epoch, math.nan) for epoch in range(1, last + 1)]
