"""Closes runs whose process died before it could close them."""

import logging
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from experiments.errors import TrackingError
from experiments.tracking.spool.process import HOST, PID, host_name, is_dead
from experiments.tracking.spool.tag_names import former_name, name_as_today
from experiments.tracking.store.client import Connection, attempt

_LOGGER = logging.getLogger(__name__)
_EXPERIMENTS = 1000
_RUNS = 1000

REASON = "status.reason"


def reconcile_stale_runs(
    connection: Connection, *, spare: str | None = None
) -> list[str]:
    """Sets RUNNING runs of dead processes of this host to KILLED.

    Runs of live processes, of other hosts or containers, and runs that this project
    did not start are left alone. A sweep's parent and children are judged each by
    their own process.

    Args:
        connection: The open store.
        spare: A run that is about to be continued.

    Returns:
        The ids of the runs that were closed.

    Raises:
        TrackingError: If the runs cannot be listed.
    """
    client = connection.client
    experiments = attempt(
        lambda: client.search_experiments(max_results=_EXPERIMENTS), "list experiments"
    )
    ids = [experiment.experiment_id for experiment in experiments]
    running = list(_list_running(client, ids))
    dead = [run.info.run_id for run in running if is_dead(run.data.tags)]
    dead = [run_id for run_id in dict.fromkeys(dead) if run_id != spare]
    closed = []
    for run_id in dead:
        try:
            closed += [run_id] if _close(connection, run_id) else []
        except TrackingError as error:
            # Perhaps another user's run on a shared server: no reason not to start.
            _LOGGER.warning("Run %s stays RUNNING, it is dead: %s", run_id, error)
    return closed


def _list_running(client: Any, experiment_ids: Sequence[str]) -> Iterator[Any]:
    """Yields the RUNNING runs of this host; one may come twice."""
    for tag in (HOST, former_name(HOST)):  # MLflow's queries know no `or`
        query = f"attributes.status = 'RUNNING' AND tags.`{tag}` = '{host_name()}'"
        search = partial(client.search_runs, experiment_ids, query, max_results=_RUNS)
        yield from attempt(search, "look for stale runs")


def _close(connection: Connection, run_id: str) -> bool:
    client = connection.client
    # Read again: the run may have been closed or resumed since the search.
    run = attempt(lambda: client.get_run(run_id), "read a stale run")
    if run.info.status != "RUNNING" or not is_dead(run.data.tags):
        return False
    tags = name_as_today(run.data.tags)
    reason = f"process {tags[PID]} on {tags[HOST]} ended without closing the run"
    attempt(lambda: client.set_tag(run_id, REASON, reason), "close a stale run")
    attempt(lambda: client.set_terminated(run_id, "KILLED"), "close a stale run")
    _LOGGER.warning("Run %s is set to KILLED: %s.", run.info.run_name, reason)
    return True
