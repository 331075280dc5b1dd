"""Reads back what a tracked run was and what came of it."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NotRequired, TypedDict

from experiments import job_files
from experiments.config.formats.history import name_key, name_values, name_words
from experiments.config.formats.upgrade import upgrade_config
from experiments.config.kinds.destination import Destination
from experiments.config.kinds.metric_names import name_as_today
from experiments.errors import TrackingError
from experiments.records import (
    FORMAT,
    LIMIT,
    RecordError,
    Upgrade,
    parse_record,
    read_bytes,
    read_header,
)
from experiments.shapes import conform
from experiments.tracking.spool.origin_record import Origin, upgrade_origin
from experiments.tracking.spool.seen import changed_keys
from experiments.tracking.store.client import Connection, attempt, connect
from experiments.tracking.store.runs.run_folder import find_folder
from experiments.tracking.store.runs.run_names import (
    NamedRun,
    Wanted,
    find_run,
    is_single,
    list_members,
)
from experiments.tracking.store.yaml_text import parse_yaml

FINGERPRINT = "data/fingerprint.json"
_CONFIG = "config/config.yaml"
_YAML_BYTES = 2**20  # a config has some 10 kB


class _Config(TypedDict):
    tags: dict[str, Any]
    trainer: dict[str, Any]


class Fingerprint(TypedDict):
    """What a run recorded of its images.

    Attributes:
        classes: Their names.
        image: Its `shape`, and `mean` and `std` of its channels; absent in old records.
    """

    classes: list[str]
    image: NotRequired[dict[str, list[float]]]


class _Overrides(TypedDict):
    overrides: list[str]


@dataclass(frozen=True)
class Tags:
    """The tags of a run.

    Attributes:
        run_id: Its id.
        values: Tag -> its text.
    """

    run_id: str
    values: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class RecordedRun:
    """A run as the tracker has it.

    Attributes:
        run_id: Its id.
        name: Its name.
        config: The resolved config as plain data, that of its last process.
        choices: Group -> option that it was taken from.
        changed: Key -> its values one after another, where there were several.
        origin: Hashes of code and data and versions of packages; empty without any.
        metrics: The last value of each metric.
        folder: Where it was read from; `None` for one that MLflow told of.
    """

    run_id: str
    name: str
    config: Mapping[str, Any]
    choices: Mapping[str, str]
    changed: Mapping[str, str]
    origin: Mapping[str, Any]
    metrics: Mapping[str, float]
    folder: Path | None = None


def read_run(
    name: str, destination: Destination, *, typed_in: Path | None = None
) -> RecordedRun:
    """Reads a run from the tracker.

    Args:
        name: Its id or, with `typed_in`, whatever a person may type, see `find_run`.
        destination: Where it was recorded.
        typed_in: Where a person typed the name; `None` for what nobody has typed.

    Raises:
        TrackingError: There is no such run, or it holds no config.
        NewerRecordError: A later release recorded it.
    """
    connection, named = _find(name, destination, typed_in)
    run = named.run
    read = partial(_read_file, connection.client, run.info.run_id)
    return RecordedRun(
        run_id=run.info.run_id,
        name=run.info.run_name,
        config=read(_CONFIG),
        choices=read("config/choices.yaml"),
        changed={name_key(k): v for k, v in changed_keys(run.data.tags).items()},
        origin=read(job_files.ORIGIN),
        metrics=name_as_today(run.data.metrics),
    )


def read_overrides(
    name: str, destination: Destination, *, typed_in: Path | None = None
) -> tuple[str, ...]:
    """Reads what was typed to start a run; see `read_run`.

    Raises:
        TrackingError: There is no such run, or it does not say.
    """
    connection, named = _find(name, destination, typed_in)
    path, run_id = "config/overrides.yaml", named.run.info.run_id
    return tuple(_read_file(connection.client, run_id, path)["overrides"])


def read_fingerprint(run_id: str, destination: Destination) -> Fingerprint | None:
    """Reads what a run recorded of its images; `None` where it did not come so far.

    Args:
        run_id: Its id.
        destination: Where it was recorded.

    Raises:
        TrackingError: The store does not answer, or the file is damaged.
        NewerRecordError: A later release recorded it.
    """
    client = _connect(destination).client
    if not _has_file(client, run_id, FINGERPRINT):
        return None
    found: Fingerprint = _read_file(client, run_id, FINGERPRINT)
    return found


def read_kept(run_id: str, path: str, destination: Destination, *, limit: int) -> bytes:
    """Returns a file that a run kept, as it is.

    Args:
        run_id: Its id.
        path: Below the files of the run.
        destination: Where it was recorded.
        limit: Bytes that it may have.

    Raises:
        TrackingError: It is not there, or too large.
    """
    client = _connect(destination).client
    with tempfile.TemporaryDirectory() as folder:
        return read_bytes(_download(client, run_id, path, folder), limit=limit)


def fetch_file(
    run_id: str, path: str, destination: Destination, into: Path
) -> Path | None:
    """Copies a file of a run from the store; `None` where the run has no such file.

    Args:
        run_id: Its id.
        path: Of the file, below the files of the run.
        destination: Where the run was recorded.
        into: A folder for the copy, whose place is returned.

    Raises:
        TrackingError: The store does not answer.
    """
    client = _connect(destination).client
    if not _has_file(client, run_id, path):
        return None
    return _download(client, run_id, path, str(into))


def read_tags(
    name: str, destination: Destination, *, typed_in: Path | None = None
) -> Tags:
    """Reads the tags of a run; see `read_run`.

    Raises:
        TrackingError: There is no such run.
    """
    _, named = _find(name, destination, typed_in)
    return Tags(named.run.info.run_id, dict(named.run.data.tags))


def read_folder(
    name: str, destination: Destination, *, typed_in: Path | None = None
) -> Path:
    """Returns the folder in which a run left its checkpoints; see `read_run`.

    Raises:
        TrackingError: There is no such run, or its folder is not in `output_dir`.
    """
    _, named = _find(name, destination, typed_in)
    return find_folder(named, destination.output_dir)


def read_members(run_id: str, destination: Destination) -> list[str] | None:
    """Returns the ids of the runs below that of a sweep, a search or a trial.

    Args:
        run_id: Its id, or the first characters of one.
        destination: Where it was recorded.

    Returns:
        `None` for a run that is itself one to compare.

    Raises:
        TrackingError: There is no such run.
    """
    connection, named = _find(run_id, destination, None)
    if is_single(named.run):
        return None
    found = list_members(connection, named.run.info.run_id)
    return [str(run.info.run_id) for run in found]


def find_id(
    name: str, destination: Destination, *, typed_in: Path | None, wanted: Wanted
) -> str:
    """Returns the id of the run that a person means; see `find_run`.

    Raises:
        TrackingError: There is no such run.
    """
    connection = _connect(destination)
    named = find_run(name, connection, typed_in=typed_in, wanted=wanted)
    return str(named.run.info.run_id)


def read_config(artifacts: Path) -> Mapping[str, Any]:
    """Reads the config that a folder keeps for the tracker, as one of today.

    Args:
        artifacts: Where the folder has the files of its run.

    Raises:
        FileNotFoundError: There is none.
        NewerRecordError: A later release wrote it.
        RecordError: It is damaged.
    """
    path = artifacts / _CONFIG
    content = read_bytes(path, limit=_YAML_BYTES)
    try:
        found: Mapping[str, Any] = _parse(content, _CONFIG, str(path))
    except ValueError as error:
        raise RecordError(path, str(error)) from error
    return found


def _find(
    name: str, destination: Destination, typed_in: Path | None
) -> tuple[Connection, NamedRun]:
    connection = _connect(destination)
    return connection, find_run(name, connection, typed_in=typed_in)


def _connect(destination: Destination) -> Connection:
    if not destination.enabled:
        raise TrackingError(
            "A recorded run needs a tracker to read from. Received: off."
        )
    return connect(destination, create=False)


def _upgrade_overrides(content: Any, since: int) -> Any:
    words = conform(content, _Overrides)["overrides"]
    return {"overrides": name_words(words, since)}


def _upgrade_choices(content: Any, since: int) -> Any:
    return name_values(conform(content, dict[str, str]), since)


# The form of each file, and what becomes of one of an earlier format.
_FILES: Mapping[str, tuple[Any, Upgrade]] = {
    _CONFIG: (_Config, upgrade_config),
    "config/choices.yaml": (dict[str, str], _upgrade_choices),
    "config/overrides.yaml": (_Overrides, _upgrade_overrides),
    job_files.ORIGIN: (Origin, upgrade_origin),
    FINGERPRINT: (Fingerprint, lambda content, _: content),
}


def _parse(content: bytes, path: str, place: str) -> Any:
    """Returns what a file says as one of today would.

    Args:
        content: Of the file.
        path: Below the files of its run.
        place: What messages call it.

    Raises:
        NewerRecordError: A later release wrote it.
        ValueError: It is damaged.
    """
    shape, upgrade = _FILES[path]
    if path.endswith(".json"):
        return parse_record(content, shape, place=place, upgrade=upgrade)
    found, plain = read_header(content, place), parse_yaml(content)
    return conform(upgrade(plain, found) if found < FORMAT else plain, shape)


def _has_file(client: Any, run_id: str, path: str) -> bool:
    folder = path.rpartition("/")[0]
    files = attempt(
        lambda: client.list_artifacts(run_id, folder), f"list the files of {run_id}"
    )
    return path in [file.path for file in files]


def _download(client: Any, run_id: str, path: str, folder: str) -> Path:
    """Copies a file of a run into a folder.

    Raises:
        TrackingError: It is absent, or the store does not answer.
    """
    load = client.download_artifacts
    return Path(attempt(lambda: load(run_id, path, folder), f"read {path} of {run_id}"))


def _read_file(client: Any, run_id: str, path: str) -> Any:
    """Returns what a file of a run says, when it has the form that it was written in.

    Raises:
        TrackingError: It is absent or damaged.
        NewerRecordError: A later release wrote it.
    """
    limit = LIMIT if path.endswith(".json") else _YAML_BYTES
    with tempfile.TemporaryDirectory() as folder:
        file = _download(client, run_id, path, folder)
        try:
            content = read_bytes(file, limit=limit)
            return _parse(content, path, f"{path} of the run {run_id}")
        except ValueError as error:
            problem = getattr(error, "problem", error)
            raise TrackingError(
                f"{path} of the run {run_id} is damaged: {problem}. Choose another run."
            ) from error
