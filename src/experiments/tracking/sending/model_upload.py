"""Brings a model folder into MLflow; needs no framework."""

from pathlib import Path
from typing import Any

import yaml

from experiments.files import open_new
from experiments.records import RecordError, read_bytes, refuse_links
from experiments.shapes import conform
from experiments.tracking.store.failures import RefusedError
from experiments.tracking.store.links import as_folder
from experiments.tracking.store.yaml_text import parse_yaml

_KEY = "experiments.entry"


def upload_model(
    client: Any, run_id: str, folder: Path, *, name: str, step: int, key: str
) -> Path | None:
    """Stores a model and links it to its run, once however often it is called.

    Args:
        client: `mlflow.MlflowClient`.
        run_id: The run that trained it.
        folder: What `save_model` has written.
        name: Name of the model in MLflow.
        step: Epoch that the weights come from.
        key: Tells this model from all others.

    Returns:
        The folder that holds the model now; `None` on a server.
    """
    from mlflow.entities import LoggedModelOutput

    run = client.get_run(run_id)
    found = find_models(client, run, key)
    if found and found[0].status == "READY":
        # Sent just before a crash; its folder may be half removed.
        return as_folder(found[0].artifact_location)
    if not (folder / "MLmodel").is_file():
        raise RefusedError(
            f"the model is not in {folder}: it is kept only until it is sent"
        )
    refuse_links(folder)
    model = found[0] if found else _create(client, run, name, key)
    _set_identity(folder / "MLmodel", run_id, model)
    client.log_model_artifacts(model.model_id, str(folder))
    if model.model_id not in [link.model_id for link in run.outputs.model_outputs]:
        client.log_outputs(run_id, [LoggedModelOutput(model.model_id, step)])
    client.finalize_logged_model(model.model_id, "READY")
    for twin in find_models(client, run, key):
        if twin.model_id != model.model_id:
            client.delete_logged_model(twin.model_id)
    return as_folder(model.artifact_location)


def find_models(client: Any, run: Any, key: str) -> list[Any]:
    """Returns the models of a run that were created for `key`; see `runs.find_runs`."""
    query = f"source_run_id = '{run.info.run_id}'"
    models = client.search_logged_models([run.info.experiment_id], query)
    return sorted(
        (model for model in models if model.tags.get(_KEY) == key),
        key=lambda model: (model.creation_timestamp, model.model_id),
    )


def _create(client: Any, run: Any, name: str, key: str) -> Any:
    return client.create_logged_model(
        run.info.experiment_id,
        name=name,
        source_run_id=run.info.run_id,
        tags={_KEY: key},
        params=dict(run.data.params),
    )


def _set_identity(path: Path, run_id: str, model: Any) -> None:
    """Writes into the model what MLflow knows it by, wherever it lies."""
    try:
        content = conform(parse_yaml(read_bytes(path)), dict[str, Any])
    except RecordError as error:
        raise RefusedError(str(error)) from error
    except ValueError as error:
        raise RefusedError(f"{path} is damaged: {error}") from error
    content |= {
        "run_id": run_id,
        "model_id": model.model_id,
        "model_uuid": model.model_id,
        # Its own `log_model` writes the folder, which may be moved.
        "artifact_path": f"models:/{model.model_id}",
    }
    with open_new(path) as file:
        file.write(yaml.safe_dump(content, sort_keys=False).encode())
