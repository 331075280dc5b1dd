"""Reads back what a tracked run was and what came of it."""

import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypedDict

from experiments import job_files
from experiments.config.history import name_key, name_values, name_word
from experiments.config.upgrade import upgrade_config
from experiments.errors import TrackingError
from experiments.records import (
    FORMAT,
    LIMIT,
    NewerRecordError,
    Upgrade,
    parse_record,
    read_bytes,
    read_header,
)
from experiments.shapes import conform
from experiments.tracking.sending.sync import find_folders
from experiments.tracking.spool.origin_record import Origin, upgrade_origin
from experiments.tracking.spool.seen import changed_keys
from experiments.tracking.spool.spool import Spool
from experiments.tracking.store.client import attempt, connect
from experiments.tracking.store.yaml_text import parse_yaml

_YAML_BYTES = 2**20  # a config has some 10 kB


class _Config(TypedDict):
    tags: dict[str, Any]
    trainer: dict[str, Any]


class _Overrides(TypedDict):
    overrides: list[str]


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
    """

    run_id: str
    name: str
    config: Mapping[str, Any]
    choices: Mapping[str, str]
    changed: Mapping[str, str]
    origin: Mapping[str, Any]
    metrics: Mapping[str, float]


def read_run(run_id: str, *, output_dir: Path, **connection: Any) -> RecordedRun:
    """Reads a run from the tracker.

    Args:
        run_id: Its id.
        output_dir: Folder of the embedded database.
        **connection: As `TrackingConfig.connection` returns them.

    Raises:
        TrackingError: There is no such run, or it holds no config.
        NewerRecordError: A later release recorded it.
    """
    client = _connect(output_dir, connection)
    run = _read(client, run_id, output_dir)
    run_id = run.info.run_id
    return RecordedRun(
        run_id=run_id,
        name=run.info.run_name,
        config=_read_file(client, run_id, "config/config.yaml"),
        choices=_read_file(client, run_id, "config/choices.yaml"),
        changed={name_key(k): v for k, v in changed_keys(run.data.tags).items()},
        origin=_read_file(client, run_id, job_files.ORIGIN),
        metrics=run.data.metrics,
    )


def read_overrides(
    run_id: str, *, output_dir: Path, **connection: Any
) -> tuple[str, ...]:
    """Reads what was typed to start a run; see `read_run`.

    Raises:
        TrackingError: There is no such run, or it does not say.
    """
    client = _connect(output_dir, connection)
    path = "config/overrides.yaml"
    return tuple(_read_file(client, run_id, path)["overrides"])


def read_tags(run_id: str, *, output_dir: Path, **connection: Any) -> dict[str, str]:
    """Reads the tags of a run; see `read_run`.

    Raises:
        TrackingError: There is no such run.
    """
    run = _read(_connect(output_dir, connection), run_id, output_dir)
    return dict(run.data.tags)


def _read(client: Any, run_id: str, output_dir: Path) -> Any:
    """Returns a run of MLflow, which may have another id by now."""
    try:
        return attempt(lambda: client.get_run(run_id), f"read run {run_id}")
    except TrackingError:
        found = _find_successor(client, run_id, output_dir)
        if found is None:
            raise
        return found


def _find_successor(client: Any, run_id: str, output_dir: Path) -> Any:
    """Returns the run in which the records of a lost one are now, if there is one.

    When a database was lost, `task=sync` sends its runs into new ones. The ids of
    before stand on screens and in tags, such as that of the best trial of a search.
    """
    for folder in find_folders(output_dir):
        known: list[str] = []
        with suppress(NewerRecordError):
            known = Spool(folder).list_run_ids()
        for other in known if run_id in known else ():
            with suppress(TrackingError):
                return attempt(partial(client.get_run, other), "read a run")
    return None


def _connect(output_dir: Path, connection: dict[str, Any]) -> Any:
    options = dict(connection)
    if not options.pop("enabled"):
        raise TrackingError(
            "A recorded run needs a tracker to read from. Received: off."
        )
    return connect(output_dir=output_dir, **options).client


def _upgrade_overrides(content: Any, since: int) -> Any:
    words = conform(content, _Overrides)["overrides"]
    return {"overrides": [name_word(word, since) for word in words]}


def _upgrade_choices(content: Any, since: int) -> Any:
    return name_values(conform(content, dict[str, str]), since)


# The form of each file, and what becomes of one of an earlier format.
_FILES: Mapping[str, tuple[Any, Upgrade]] = {
    "config/config.yaml": (_Config, upgrade_config),
    "config/choices.yaml": (dict[str, str], _upgrade_choices),
    "config/overrides.yaml": (_Overrides, _upgrade_overrides),
    job_files.ORIGIN: (Origin, upgrade_origin),
}


def _parse(content: bytes, path: str, run_id: str) -> Any:
    shape, upgrade = _FILES[path]
    place = f"{path} of the run {run_id}"
    if path.endswith(".json"):
        return parse_record(content, shape, place=place, upgrade=upgrade)
    found, plain = read_header(content, place), parse_yaml(content)
    return conform(upgrade(plain, found) if found < FORMAT else plain, shape)


def _read_file(client: Any, run_id: str, path: str) -> Any:
    """Returns what a file of a run says, when it has the form that it was written in.

    Raises:
        TrackingError: It is absent or damaged.
        NewerRecordError: A later release wrote it.
    """
    limit = LIMIT if path.endswith(".json") else _YAML_BYTES
    with tempfile.TemporaryDirectory() as folder:
        load = client.download_artifacts
        file = attempt(lambda: load(run_id, path, folder), f"read {path} of {run_id}")
        try:
            content = read_bytes(Path(file), limit=limit)
            return _parse(content, path, run_id)
        except ValueError as error:
            problem = getattr(error, "problem", error)
            raise TrackingError(
                f"{path} of the run {run_id} is damaged: {problem}. Choose another run."
            ) from error
