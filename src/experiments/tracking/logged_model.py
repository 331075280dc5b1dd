"""Brings the model of a run out of MLflow."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.config.kinds.destination import Destination
from experiments.config.reading.convert import nearest
from experiments.counts import name_some
from experiments.errors import TrackingError
from experiments.records import read_bytes, refuse_links
from experiments.tracking.store.client import attempt, connect
from experiments.tracking.store.links import as_folder
from experiments.tracking.store.yaml_text import parse_yaml

_FILE = Path("data", "model.keras")
_DESCRIPTION = "MLmodel"
_DESCRIPTION_BYTES = 2**20
_ABSENT = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")  # an alias: the latter


@dataclass(frozen=True, kw_only=True)
class RegisteredModel:
    """A version of a registered model.

    Attributes:
        name: As it was named.
        version: Its number.
        run_id: The run that it is of; `None` where the registry does not say.
        location: Where its files are.
    """

    name: str
    version: str
    run_id: str | None
    location: str


class NoModelError(TrackingError):
    """MLflow has a run and no model of it."""


def fetch_model(run_id: str, folder: Path, destination: Destination) -> Path:
    """Copies the newest model of a run from MLflow and returns its Keras file.

    Args:
        run_id: Its id.
        folder: Where to put the copy.
        destination: Where it was recorded.

    Raises:
        NoModelError: The run holds none.
        TrackingError: There is no such run, or its model is none of Keras.
    """
    store = connect(destination, create=False)
    client = store.client
    run = attempt(lambda: client.get_run(run_id), f"read run {run_id}")
    links = sorted(run.outputs.model_outputs, key=lambda link: link.step)
    if not links:
        raise NoModelError(
            f"The run {run_id} holds no model: tracking.log_model was off, or another "
            "epoch's weights were wanted. Its folder has them in checkpoints/: name "
            "that folder, or the output_dir that it is in."
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


def find_registered(name: str, destination: Destination) -> RegisteredModel:
    """Asks the registry for a version.

    Args:
        name: `models:/digits@champion` or `models:/digits/3`.
        destination: Which store.

    Raises:
        TrackingError: There is none, or the name is of another form.
    """
    model, alias, number = _split_name(name)
    client = connect(destination, create=False).client
    try:
        found = attempt(
            lambda: (
                client.get_model_version_by_alias(model, alias)
                if alias
                else client.get_model_version(model, number)
            ),
            f"find {name}",
        )
    except TrackingError as error:
        if getattr(error.__cause__, "error_code", None) not in _ABSENT:
            raise
        raise TrackingError(_describe_absence(client, model, alias, number)) from error
    location = attempt(
        lambda: client.get_model_version_download_uri(model, found.version),
        f"find the files of {name}",
    )
    return RegisteredModel(
        name=name,
        version=str(found.version),
        run_id=found.run_id or None,
        location=location,
    )


def _describe_absence(client: Any, model: str, alias: str, number: str) -> str:
    """Returns what of a registered model there is, in place of what there is not."""
    known = attempt(
        lambda: {found.name: found for found in client.search_registered_models()},
        "list the registered models",
    )
    if model not in known:
        told = f"There is no registered model {model!r}."
        if not known:
            return f"{told} None is registered: task=promote does it."
        return f"{told} {_list(sorted(known), model, above='models:/')}"
    last = max((int(v.version) for v in known[model].latest_versions), default=0)
    if alias:
        told = f"{model} has no version @{alias}."
        found = _list(sorted(known[model].aliases), alias, above=f"models:/{model}@")
        return f"{told} {found} The last version is {last}."
    return f"{model} has no version {number}: the last one is {last}."


def _list(names: Sequence[str], typed: str, *, above: str) -> str:
    """Returns the similar name, else the first ones that there are."""
    if not names:
        return "It has no alias."
    return nearest(typed, names, above=above) or f"There are: {name_some(names)}."


def fetch_registered(
    model: RegisteredModel, folder: Path, destination: Destination
) -> tuple[Path, Mapping[str, Any]]:
    """Copies a registered model and returns its Keras file and what it says of itself.

    Args:
        model: The version.
        folder: Where to put the copy.
        destination: Which store.

    Raises:
        TrackingError: Its files cannot be read, or are of no Keras model.
    """
    store = connect(destination, create=False)
    copy = attempt(
        lambda: _download(model.location, folder, store.location.uri),
        f"read {model.name}",
    )
    refuse_links(copy)
    if not (copy / _FILE).is_file():
        raise TrackingError(
            f"{model.name}, version {model.version}, holds no Keras model. Register "
            "one that a run here has recorded."
        )
    try:
        content = read_bytes(copy / _DESCRIPTION, limit=_DESCRIPTION_BYTES)
        metadata = parse_yaml(content).get("metadata")
    except (OSError, ValueError, AttributeError) as error:
        raise TrackingError(f"{model.name} does not say what it is: {error}") from error
    return copy / _FILE, metadata if isinstance(metadata, Mapping) else {}


def has_model(location: str, uri: str) -> bool:
    """Tells whether the files of a model are still where MLflow has put them.

    Args:
        location: The address of its files.
        uri: That of the store, which may be a server that hands them out.
    """
    if (place := as_folder(location)) is not None:
        return (place / _DESCRIPTION).is_file()
    files = _open_files(location, uri).list_artifacts()
    return any(Path(file.path).name == _DESCRIPTION for file in files)


def _split_name(name: str) -> tuple[str, str, str]:
    """Returns model, alias and version of a registered name; one of the two is empty.

    Raises:
        TrackingError: It is of another form.
    """
    rest = name.removeprefix("models:/")
    model, _, alias = rest.partition("@")
    if alias and model and "/" not in model:
        return model, alias, ""
    model, _, number = rest.partition("/")
    if model and number.isdecimal():
        return model, "", number
    raise TrackingError(
        "A registered model is named by its alias or its version, such as "
        f"models:/digits@champion or models:/digits/3. Received: {name}."
    )


def _download(address: str, folder: Path, uri: str) -> Path:
    if (place := as_folder(address)) is not None:
        refuse_links(place)  # MLflow would copy what they lead to
    repository = _open_files(address, uri)
    return Path(repository.download_artifacts("", dst_path=str(folder)))


def _open_files(address: str, uri: str) -> Any:
    # By `models:/<id>` MLflow would look in the store of its own settings, and make an
    # empty one in the current folder.
    from mlflow.store.artifact import artifact_repository_registry as registry

    return registry.get_artifact_repository(address, tracking_uri=uri)
