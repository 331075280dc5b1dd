"""The one MLflow run of a folder in a store: found again, or created once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from experiments.errors import TrackingError
from experiments.records import OutsideError
from experiments.tracking.spool.journal import Entry, find_opening, read_entries
from experiments.tracking.spool.spool import Spool
from experiments.tracking.store.client import Connection, check_experiment
from experiments.tracking.store.links import mlflow_command

JOB_ID = "experiments.job_id"
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
    with spool.claiming():
        known = find_known(connection, spool)
        claimed = _claim_new(connection, spool, opening) if known is None else known
        if spool.read_run_id(store) != claimed.run_id:
            spool.write_run_id(claimed.run_id, store)
        return claimed


def find_known(connection: Connection, spool: Spool) -> ClaimedRun | None:
    """Returns the run that a folder remembers, if the store has it.

    Raises:
        DeletedRunError: The run was deleted.
    """
    for run_id in spool.list_run_ids(connection.location.name):
        run = _read(connection.client, run_id)
        if run is not None:
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


def _read(client: Any, run_id: str) -> Any:
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
