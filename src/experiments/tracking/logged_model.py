"""Brings the model of a run out of MLflow."""

from pathlib import Path

from experiments.config.destination import Destination
from experiments.errors import TrackingError
from experiments.records import refuse_links
from experiments.tracking.store.client import attempt, connect

_FILE = Path("data", "model.keras")


def fetch_model(run_id: str, folder: Path, destination: Destination) -> Path:
    """Copies the newest model of a run from MLflow and returns its Keras file.

    Args:
        run_id: Its id.
        folder: Where to put the copy.
        destination: Where it was recorded.

    Raises:
        TrackingError: There is no such run, or it holds no Keras model.
    """
    store = connect(destination, create=False)
    client = store.client
    run = attempt(lambda: client.get_run(run_id), f"read run {run_id}")
    links = sorted(run.outputs.model_outputs, key=lambda link: link.step)
    if not links:
        raise TrackingError(
            f"The run {run_id} holds no model: tracking.log_model was off, or another "
            "epoch's weights were wanted. Its folder has them in checkpoints/: give "
            "load_run() that folder, or its output_dir."
        )
    model = attempt(
        lambda: client.get_logged_model(links[-1].model_id),
        f"find the model of {run_id}",
    )
    copy = attempt(
        lambda: _download(model.artifact_location, folder, store.location.uri),
        f"read the model of {run_id}",
    )
    refuse_links(copy)
    return copy / _FILE


def _download(address: str, folder: Path, uri: str) -> Path:
    # By `models:/<id>` MLflow would look in the store of its own settings, and make an
    # empty one in the current folder.
    from mlflow.store.artifact import artifact_repository_registry as registry

    repository = registry.get_artifact_repository(address, tracking_uri=uri)
    return Path(repository.download_artifacts("", dst_path=str(folder)))
