"""The one MLflow run of a folder: found again, or created once."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from experiments.errors import TrackingError
from experiments.tracking.client import Connection
from experiments.tracking.journal import Entry, find_opening, read_entries
from experiments.tracking.spool import Spool

JOB_ID = "experiments.job_id"
PARENT = "mlflow.parentRunId"
_ABSENT = "RESOURCE_DOES_NOT_EXIST"


def claim_run(connection: Connection, spool: Spool, opening: Entry) -> str:
    """Returns the id of a folder's run, after creating it where there is none.

    Args:
        connection: The open store.
        spool: The run's records.
        opening: Its first entry.

    Raises:
        TrackingError: The run was deleted.
    """
    with spool.claiming():
        known = spool.read_run_id()
        if known is not None and _exists(connection.client, known):
            return known
        found = find_runs(connection, str(opening.content["job_id"]))
        run_id = found[0] if found else _create(connection, spool, opening)
        spool.write_run_id(run_id)
        return run_id


def find_runs(connection: Connection, job_id: str) -> list[str]:
    """Returns the runs that were created for a folder: one, the oldest first.

    More than one exist when a server was so slow that its client gave up on the
    creation of a run, which then happened all the same.
    """
    query = f"tags.`{JOB_ID}` = '{job_id}'"
    order = ["attributes.start_time ASC", "attributes.run_id ASC"]
    search = connection.client.search_runs
    runs = search([connection.experiment_id], query, order_by=order)
    return [run.info.run_id for run in runs]


def remove_twins(connection: Connection, job_id: str, run_id: str) -> None:
    """Deletes the empty runs that a slow server left beside a folder's run."""
    for other in find_runs(connection, job_id):
        if other != run_id:
            connection.client.delete_run(other)


def parent_tags(
    connection: Connection, spool: Spool, content: Mapping[str, Any]
) -> dict[str, str]:
    """Returns the tag that makes a run a child of its sweep's.

    The parent's own process may live on another machine and not have created its run
    yet: whoever comes first does.
    """
    if content.get("parent") is None:
        return {}
    # Relative, so that a whole output folder may be moved.
    parent = Spool(Path(os.path.normpath(spool.job_folder / content["parent"])))
    entries = read_entries(parent.journal)
    if not entries:
        return {}  # its folder was deleted
    return {PARENT: claim_run(connection, parent, find_opening(entries))}


def forget_reason(client: Any, run_id: str, tag: str) -> None:
    """Removes why an earlier process did not finish."""
    from mlflow.exceptions import MlflowException

    try:
        client.delete_tag(run_id, tag)
    except MlflowException as error:
        if error.error_code != _ABSENT:  # mostly there is none
            raise


def _exists(client: Any, run_id: str) -> bool:
    from mlflow.exceptions import MlflowException

    try:
        run = client.get_run(run_id)
    except MlflowException as error:
        if error.error_code == _ABSENT:
            return False  # another store than before, or an emptied one
        raise
    if run.info.lifecycle_stage != "active":
        raise TrackingError(
            f"its run was deleted in MLflow; to restore it: "
            f"mlflow runs restore --run-id {run_id}"
        )
    return True


def _create(connection: Connection, spool: Spool, opening: Entry) -> str:
    content = opening.content
    own = {JOB_ID: content["job_id"], **parent_tags(connection, spool, content)}
    run = connection.client.create_run(
        connection.experiment_id,
        start_time=opening.time,
        tags={**content["tags"], **own},
        run_name=content["name"],
    )
    return str(run.info.run_id)
