"""Where runs are recorded: reachable, and of a form that the installed MLflow reads."""

from importlib.metadata import version

from experiments.config.kinds.destination import Destination
from experiments.doctor.finding import Finding
from experiments.errors import TrackingError
from experiments.redaction import redact
from experiments.tracking.store.client import attempt, connect
from experiments.tracking.store.databases.postgres import EmptyDatabaseError
from experiments.tracking.store.databases.schema import is_outdated
from experiments.tracking.store.links import locate

_WHAT = "tracking"


def check_store(destination: Destination) -> Finding:
    """Asks the store for anything at all, and changes nothing there."""
    if not destination.enabled:
        return Finding(level="ok", what=_WHAT, told="off")
    location = locate(destination)
    database = location.database
    try:
        if database is not None and not database.is_file():
            told = f"{database} is made by the first run"
            return Finding(level="ok", what=_WHAT, told=told)
        if database is not None and is_outdated(database):
            told = f"{database} was written by an older MLflow"
            advice = "The next run upgrades it for good, after a copy."
            return Finding(level="warning", what=_WHAT, told=told, advice=advice)
        client = connect(destination, create=False).client
        attempt(lambda: client.search_experiments(max_results=1), "read the store")
    except EmptyDatabaseError:
        told = f"{location.uri} answers and is empty: the first run makes its tables"
        return Finding(level="ok", what=_WHAT, told=told)
    except TrackingError as error:
        advice = "Runs are kept on disk meanwhile; task=sync sends them later."
        return Finding(
            level="error", what=_WHAT, told=redact(str(error)), advice=advice
        )
    told = f"{redact(location.uri)} answers, MLflow {version('mlflow')}"
    return Finding(level="ok", what=_WHAT, told=told)
