"""The one MLflow run of a folder in a store: found again, or created once."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from experiments.errors import TrackingError
from experiments.records import OutsideError
from experiments.tracking.spool.claims import names_back
from experiments.tracking.spool.journal import Entry, find_opening, read_entries
from experiments.tracking.spool.place import JOB_ID
from experiments.tracking.spool.spool import Spool
from experiments.tracking.store.client import Connection, check_experiment
from experiments.tracking.store.links import mlflow_command

_LOGGER = logging.getLogger(__name__)

PARENT = "mlflow.parentRunId"
_ABSENT = "RESOURCE_DOES_NOT_EXIST"


class DeletedRunError(TrackingError):
    """A run, or its experiment, was deleted in MLflow; it can be restored."""


@dataclass(frozen=True)
class ClaimedRun:
    """A run that belongs to a folder.

    Attributes:
        run_id: Its id.
        experiment_id: Of its experiment, whatever that is called by now.
        former: What the store knew of it; `None` when it was created just now.
    """

    run_id: str
    experiment_id: str
    former: Any = None


def claim_run(connection: Connection, spool: Spool, opening: Entry) -> ClaimedRun:
    """Returns a folder's run, after creating it where there is none.

    Args:
        connection: The open store.
        spool: The run's records.
        opening: Its first entry.

    Raises:
        DeletedRunError: The run was deleted.
    """
    store = connection.location.name
    job_id = str(opening.content["job_id"])
    with spool.claiming():
        known = _find_known(connection, spool, job_id)
        claimed = _claim_new(connection, spool, opening) if known is None else known
        if spool.read_run_id(store) != claimed.run_id:
            spool.write_run_id(claimed.run_id, store)
        return claimed


def list_own_runs(client: Any, spool: Spool, store: str, job_id: str) -> Iterator[Any]:
    """Yields the runs of a folder that a store has, the likeliest first.

    Args:
        client: Of the store.
        spool: The folder's records.
        store: Name of the store.
        job_id: Of the folder.
    """
    for run_id in spool.list_run_ids(store):
        run = read_if_any(client, run_id)
        if run is not None and names_back(run.data.tags, job_id):
            yield run


def _find_known(connection: Connection, spool: Spool, job_id: str) -> ClaimedRun | None:
    """Returns the run that a folder remembers, if the store has it.

    Raises:
        DeletedRunError: The run was deleted.
    """
    for run_id in spool.list_run_ids(connection.location.name):
        run = read_if_any(connection.client, run_id)
        if run is None:
            continue
        if not names_back(run.data.tags, job_id):
            _LOGGER.warning(
                "%s says that its run is %s, which is that of another folder: it is "
                "neither read nor changed.",
                spool.job_folder,
                run_id,
            )
            spool.forget_run_id(run_id)
            continue
        _check_active(connection, run)
        return ClaimedRun(run_id, run.info.experiment_id, former=run)
    return None


def find_runs(client: Any, experiment_id: str, job_id: str) -> list[Any]:
    """Returns the runs that were created for a folder: one, the oldest first.

    More than one exist when a server was so slow that its client gave up on the
    creation of a run, which then happened all the same.
    """
    query = f"tags.`{JOB_ID}` = '{job_id}'"
    order = ["attributes.start_time ASC", "attributes.run_id ASC"]
    return list(client.search_runs([experiment_id], query, order_by=order))


def remove_twins(client: Any, claimed: ClaimedRun, job_id: str) -> None:
    """Deletes the empty runs that a slow server left beside a folder's run."""
    for other in find_runs(client, claimed.experiment_id, job_id):
        is_empty = not (other.data.metrics or other.data.params)
        if other.info.run_id != claimed.run_id and is_empty:
            client.delete_run(other.info.run_id)


def claim_parent(
    connection: Connection, spool: Spool, content: Mapping[str, Any]
) -> ClaimedRun | None:
    """Returns the run of the sweep that a run belongs to, if it belongs to one.

    The parent's own process may live on another machine and not have created its run
    yet: whoever comes first does.

    Args:
        connection: The open store.
        spool: The records of the run.
        content: Of the entry that opens it.
    """
    if content.get("parent") is None:
        return None
    try:
        parent = spool.find_parent(content["parent"])
    except OutsideError:
        return None  # the entry itself is refused, which tells
    entries = [] if parent is None else read_entries(parent.journal)
    if parent is None or not entries:
        return None  # its folder was deleted
    return claim_run(connection, parent, find_opening(entries))


def parent_tags(parent: ClaimedRun | None) -> dict[str, str]:
    """Returns the tag that makes a run a child of its sweep's."""
    return {} if parent is None else {PARENT: parent.run_id}


def forget_reason(client: Any, run_id: str, tag: str) -> None:
    """Removes why an earlier process did not finish."""
    from mlflow.exceptions import MlflowException

    try:
        client.delete_tag(run_id, tag)
    except MlflowException as error:
        if error.error_code != _ABSENT:  # mostly there is none
            raise


def read_if_any(client: Any, run_id: str) -> Any:
    """Returns a run; `None` in another store than before, or an emptied one."""
    from mlflow.exceptions import MlflowException

    try:
        return client.get_run(run_id)
    except MlflowException as error:
        if error.error_code == _ABSENT:
            return None
        raise


def _check_active(connection: Connection, run: Any) -> None:
    if run.info.lifecycle_stage == "active":
        return
    try:
        # That of an experiment takes all of its runs along, and brings them back.
        experiment = connection.client.get_experiment(run.info.experiment_id)
        check_experiment(connection, experiment)
    except TrackingError as error:
        raise DeletedRunError(str(error)) from error
    words = ("runs", "restore", "--run-id", run.info.run_id)
    raise DeletedRunError(
        f"its run was deleted in MLflow; to restore it: "
        f"{mlflow_command(connection.location, *words)}"
    )


def _claim_new(connection: Connection, spool: Spool, opening: Entry) -> ClaimedRun:
    """Returns the run of a folder that remembers none: perhaps there is one."""
    content = opening.content
    parent = claim_parent(connection, spool, content)
    # Not by name: somebody may have renamed the sweep's experiment meanwhile.
    experiment_id = connection.experiment_id if parent is None else parent.experiment_id
    found = find_runs(connection.client, experiment_id, str(content["job_id"]))
    if found:
        return ClaimedRun(found[0].info.run_id, experiment_id, former=found[0])
    own = {JOB_ID: content["job_id"], **parent_tags(parent)}
    run = connection.client.create_run(
        experiment_id,
        start_time=opening.time,
        tags={**content["tags"], **own},
        run_name=content["name"],
    )
    return ClaimedRun(str(run.info.run_id), experiment_id)
