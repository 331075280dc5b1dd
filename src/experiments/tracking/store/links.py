"""Where records are kept and the addresses of MLflow's pages for them."""

import json
import os
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote, urlsplit
from urllib.request import url2pathname

from experiments import job_files
from experiments.config.code.programs import name_program
from experiments.config.kinds.addresses import WEB
from experiments.config.kinds.destination import Destination
from experiments.errors import TrackingError

_SQLITE = "sqlite:///"
_EMBEDDED = "embedded"
_PAGES = "http://127.0.0.1:5000"  # where `make ui` listens
# Without it MLflow opens its pages for language models. It stands behind the hash, as
# all that the pages read from an address does.
_MODE = "workflowType=machine_learning"


@dataclass(frozen=True)
class Location:
    """Where records are kept.

    Attributes:
        uri: MLflow tracking URI.
        database: The SQLite file; `None` for a server or another database.
        artifacts: Folder for files of runs; `None` where the server decides.
        name: What a job's folder calls the store: as `uri`, and for the database
            beside it a name that stays when all of it is moved.
    """

    uri: str
    database: Path | None
    artifacts: Path | None
    name: str

    @property
    def is_server(self) -> bool:
        """Whether it is a server of MLflow, which has pages and its own artifacts."""
        return urlsplit(self.uri).scheme in WEB


def locate(destination: Destination) -> Location:
    """Returns where records are kept.

    Raises:
        TrackingError: If the path of the database cannot be written as a URI.
    """
    uri = destination.uri
    if uri is not None and not uri.startswith(_SQLITE):
        address = uri.rstrip("/")
        store = Location(address, None, None, name=address)
        files = destination.output_dir / job_files.ARTIFACTS
        return store if store.is_server else replace(store, artifacts=files)
    embedded = destination.output_dir / job_files.DATABASE
    database = embedded if uri is None else Path(uri.removeprefix(_SQLITE))
    if any(sign in str(database) for sign in "?#%"):
        # SQLAlchemy ends a path at a question mark, MLflow's loader at a hash, and
        # the latter decodes %20 in paths that are no URIs.
        raise TrackingError(
            "output_dir must not contain `?`, `#` or `%` with the embedded database. "
            f"Received: {str(database.parent)!r}. Choose another output_dir."
        )
    address = f"{_SQLITE}{database}"
    name = _EMBEDDED if database == embedded else address
    return Location(address, database, database.parent / job_files.ARTIFACTS, name=name)


def is_same_store(one: Destination, other: Destination) -> bool:
    """Tells whether two addresses mean one store; a query or a user name tells nothing.

    The other attributes do not count.
    """
    try:
        places = [locate(destination) for destination in (one, other)]
        return len({_identify(place) for place in places}) == 1
    except (TrackingError, ValueError):  # no address at all
        return False


def _identify(location: Location) -> str:
    if location.database is not None:
        return os.path.realpath(location.database)
    parts = urlsplit(location.uri)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname}{port}{parts.path.rstrip('/')}"


def as_folder(address: str) -> Path | None:
    """Returns the folder of this machine that an artifact's address means, if any."""
    parts = urlsplit(address)
    return Path(url2pathname(parts.path)) if parts.scheme == "file" else None


def find_pages(destination: Destination) -> str:
    """Returns the address of MLflow's pages for a store."""
    location = locate(destination)
    own = location.uri if location.is_server else _PAGES
    return destination.ui_url or own


def version_url(base: str, name: str, number: str) -> str:
    """Returns the address of a version of a registered model."""
    return f"{base.rstrip('/')}/#/models/{quote(name)}/versions/{number}?{_MODE}"


def home_url(base: str) -> str:
    """Returns the address of the list of experiments."""
    return f"{base.rstrip('/')}/#/experiments?{_MODE}"


def experiment_url(base: str, experiment_id: str) -> str:
    """Returns the address of an experiment's table of runs."""
    return f"{base.rstrip('/')}/#/experiments/{experiment_id}/runs?{_MODE}"


def run_url(base: str, experiment_id: str, run_id: str) -> str:
    """Returns the address of a run's page."""
    return f"{base.rstrip('/')}/#/experiments/{experiment_id}/runs/{run_id}?{_MODE}"


def compare_url(run_ids: Sequence[str], experiment_id: str, base: str) -> str:
    """Returns the address of the page that compares runs.

    Args:
        run_ids: MLflow run ids, in the order of the page's columns.
        experiment_id: The experiment of all of them.
        base: Address of MLflow's pages, such as `http://127.0.0.1:5000`.
    """
    runs = quote(json.dumps(list(run_ids), separators=(",", ":")))
    experiments = quote(json.dumps([experiment_id]))
    query = f"runs={runs}&experiments={experiments}&{_MODE}"
    return f"{base.rstrip('/')}/#/compare-runs?{query}"


def charts_url(base: str, experiment_id: str, view: str) -> str:
    """Returns the address of a view of an experiment's charts that is kept in MLflow.

    Args:
        base: Address of MLflow's pages.
        experiment_id: Of the experiment.
        view: Key of the view, see `charts.keep_view`.
    """
    charts = f"compareRunsMode=CHART&viewStateShareKey={quote(view)}"
    return f"{experiment_url(base, experiment_id)}&{charts}"


def mlflow_command(location: Location, *words: str) -> str:
    """Returns a shell command of MLflow for a store, from whatever folder."""
    place = f"MLFLOW_TRACKING_URI={shlex.quote(location.uri)}"
    return f"{place} {shlex.join([name_program('mlflow'), *words])}"


def ui_command(destination: Destination) -> str | None:
    """Returns the shell command that starts MLflow's pages on a database.

    Args:
        destination: Its `ui_url` may say the host and port to listen on.

    Returns:
        The command; `None` for a server, whose pages are up already.
    """
    location = locate(destination)
    if location.is_server:
        return None
    address = urlsplit(find_pages(destination))
    words = [name_program("mlflow"), "ui", "--backend-store-uri", location.uri]
    words += ["--host", address.hostname or "127.0.0.1"]
    return shlex.join([*words, "--port", str(address.port or 5000)])
