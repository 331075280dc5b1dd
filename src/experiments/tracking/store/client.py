"""The connection to MLflow: quiet, patient with a busy database, clear in errors."""

import os
import re
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar
from urllib.parse import quote

from experiments.config.kinds.destination import Destination
from experiments.errors import TrackingError
from experiments.tracking.store.databases.database import prepare_database
from experiments.tracking.store.databases.postgres import prepare_postgres
from experiments.tracking.store.databases.relocation import FOLDER_TAG
from experiments.tracking.store.failures import comes_from_store, summarise
from experiments.tracking.store.links import (
    Location,
    find_pages,
    locate,
    mlflow_command,
)
from experiments.tracking.store.mlflow_import import import_mlflow, importing
from experiments.tracking.store.outage import describe_outage

T = TypeVar("T")

# MLflow waits 20 s for SQLite's write lock; these are for what still gets refused.
_BUSY_DELAYS = (0.1, 0.3, 1.0, 3.0)
_PROBE_SECONDS = 10
URI = "tracking.uri: "  # whose fault it is that no server answers


@dataclass(frozen=True)
class Connection:
    """An open store.

    Attributes:
        client: `mlflow.MlflowClient`.
        location: Where records are kept.
        destination: What was asked for.
    """

    client: Any
    location: Location
    destination: Destination

    @property
    def pages(self) -> str:
        """Address of MLflow's pages."""
        return find_pages(self.destination)

    @cached_property
    def experiment_id(self) -> str:
        """Of the experiment, which is made where there is none.

        Only a run that is new and has no parent needs it: the others stay where they
        are, also when somebody has given their experiment another name.

        Raises:
            TrackingError: It was deleted, or the store refuses.
        """
        return _claim_experiment(self)


def connect(destination: Destination, *, create: bool = True) -> Connection:
    """Opens the store, creating the tables of a database at need.

    Args:
        destination: Which store.
        create: As `prepare_database` takes it: whoever only reads leaves nothing.

    Raises:
        TrackingError: If the server cannot be reached or the store refuses.
    """
    location = locate(destination)
    if location.is_server:
        _probe(location.uri)
        patience = str(destination.server_timeout)
        os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] = patience
        # The sender has more patience, and looks whether a run was created in spite of
        # the silence before it tries again, which MLflow does not.
        os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "0"
    elif location.database is not None:
        prepare_database(location.database, create=create)
    elif location.artifacts is not None:
        prepare_postgres(location.uri, location.artifacts, create=create)
    mlflow = import_mlflow()
    with importing():
        client = attempt(
            lambda: mlflow.MlflowClient(tracking_uri=location.uri), "open the store"
        )
    return Connection(client, location, destination)


def attempt(action: Callable[[], T], purpose: str) -> T:
    """Runs a call to MLflow, again while SQLite says that it is locked.

    Args:
        action: The call.
        purpose: What it is for, in words, for the error.

    Raises:
        TrackingError: If the store refuses or cannot be reached.
    """
    attempts = 0
    while True:
        try:
            return action()
        # Failed uploads and full disks are OSErrors, those of `requests` included.
        except Exception as error:
            if not comes_from_store(error):
                raise
            busy = "database is locked" in str(error)
            if not busy or attempts == len(_BUSY_DELAYS):
                raise TrackingError(f"Cannot {purpose}: {summarise(error)}") from error
            time.sleep(_BUSY_DELAYS[attempts])
            attempts += 1


def _probe(uri: str) -> None:
    """Asks the server for anything at all; MLflow itself would retry for minutes."""
    import requests  # by which MLflow asks: the same proxies and certificates count

    try:
        # Whatever it answers; what it lacks will be said by the first request.
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Unverified HTTPS request")  # is wished
            url, trust = f"{uri}/health", _read_trust()
            requests.get(url, timeout=_PROBE_SECONDS, stream=True, **trust).close()
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        outage = describe_outage(error, uri)
        raise TrackingError(
            f"{URI}{outage or f'no server answers at {uri} ({reason})'}"
        ) from error


def _read_trust() -> dict[str, Any]:
    """Returns which certificates MLflow takes and shows, by its own variables."""
    insecure = os.environ.get("MLFLOW_TRACKING_INSECURE_TLS", "").lower()
    authority = os.environ.get("MLFLOW_TRACKING_SERVER_CERT_PATH") or True
    own = os.environ.get("MLFLOW_TRACKING_CLIENT_CERT_PATH")
    return {"verify": insecure not in ("true", "1") and authority, "cert": own}


def check_experiment(connection: Connection, experiment: Any) -> str:
    """Returns the id of an experiment of MLflow that may take records.

    Raises:
        TrackingError: It was deleted.
    """
    if experiment.lifecycle_stage != "active":
        words = ("experiments", "restore", "-x", str(experiment.experiment_id))
        raise TrackingError(
            f"the experiment {experiment.name!r} was deleted in MLflow. Choose another "
            f"one, tracking.experiment=..., or restore it: "
            f"{mlflow_command(connection.location, *words)}"
        )
    return str(experiment.experiment_id)


def _claim_experiment(connection: Connection) -> str:
    client, name = connection.client, connection.destination.experiment
    found = attempt(lambda: client.get_experiment_by_name(name), "open the experiment")
    if found is None:
        try:
            return _create_experiment(client, name, connection.location)
        except TrackingError:
            # Another process was first, or the store refuses: a second look tells.
            found = attempt(
                lambda: client.get_experiment_by_name(name), "open the experiment"
            )
            if found is None:
                raise
    if found.name != name:
        place = connection.location.uri
        raise TrackingError(f"{URI}what answers at {place} is no MLflow server")
    return check_experiment(connection, found)


def _create_experiment(client: Any, name: str, location: Location) -> str:
    place: dict[str, Any] = {}
    if location.artifacts is not None:
        # Absolute, because MLflow resolves a relative one against the current folder;
        # the tag says what it is relative to the database, should that be moved.
        # Two names that differ in signs only share a folder: runs have their own.
        folder = re.sub(r"[^\w.-]|^\.+$", "_", name)
        address = (location.artifacts / folder).as_uri()
        place = {"artifact_location": address, "tags": {FOLDER_TAG: quote(folder)}}
    create = client.create_experiment
    return str(attempt(lambda: create(name, **place), "create it"))
