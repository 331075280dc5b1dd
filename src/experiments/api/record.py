"""Gathers what a run left: from its folder alone, or from MLflow alone."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NotRequired, TypedDict

from omegaconf import OmegaConf

from experiments.builders.model import Images
from experiments.config.destination import Destination
from experiments.config.upgrade import upgrade_config
from experiments.errors import ConfigError, ExperimentError
from experiments.jobs.job import JobResult
from experiments.jobs.recorded_job import find_unresolved
from experiments.records import RecordError, newest_format, read_bytes, read_record
from experiments.shapes import conform
from experiments.tracking.account import Account, read_account, read_stored_account
from experiments.tracking.recorded import read_config, read_run
from experiments.tracking.spool.spool import Spool
from experiments.tracking.store.yaml_text import parse_yaml

_FINGERPRINT = Path("data", "fingerprint.json")
_HYDRAS = Path(".hydra", "config.yaml")  # without a tracker there is no other
_YAML_BYTES = 2**20
_CALL = re.compile(r"\$\{[^{}]*:")


class _Fingerprint(TypedDict):
    classes: list[str]
    image: NotRequired[dict[str, list[float]]]


@dataclass(frozen=True, kw_only=True)
class Record:
    """What a run left.

    Attributes:
        account: Its name, settings, tags and metrics.
        config: The resolved config as plain data, with the keys of today.
        images: What its model was built for; `None` where it is not recorded.
        folder: Its folder; `None` when only MLflow is known.
        result: How it ended; `None` where it has not.
    """

    account: Account
    config: Mapping[str, Any]
    images: Images | None
    folder: Path | None
    result: JobResult | None


def read_folder(folder: Path) -> Record:
    """Reads the folder of a job, as this or an earlier release left it.

    Raises:
        ExperimentError: No job was started there, or its records are damaged.
        NewerRecordError: A later release wrote one of them.
    """
    since = newest_format(folder)
    result = JobResult.load(folder)
    account = read_account(folder)
    if account is None:
        name = folder.name if result is None else result.name
        account = Account(run_id=None, name=name, params={}, tags={}, points={})
    artifacts = Spool(folder).artifacts
    return Record(
        account=account,
        config=_read_config(folder, artifacts, since),
        images=_read_images(artifacts / _FINGERPRINT),
        folder=folder,
        result=result,
    )


def read_from_store(run_id: str, destination: Destination) -> Record:
    """Reads what MLflow has of a run whose folder is not here.

    Raises:
        TrackingError: There is no such run, or it holds no config.
    """
    recorded = read_run(run_id, destination)
    return Record(
        account=read_stored_account(recorded.run_id, destination),
        config=recorded.config,
        images=None,
        folder=None,
        result=None,
    )


def _read_config(folder: Path, artifacts: Path, since: int) -> Mapping[str, Any]:
    try:
        return read_config(artifacts)
    except FileNotFoundError:
        pass
    try:
        return _read_hydras(folder / _HYDRAS, since)
    except FileNotFoundError:
        raise ExperimentError(
            f"{folder} is no folder of a run: it holds no config. Give the folder that "
            "the run printed, such as outputs/runs/resnet50_on_digits-352ce85a."
        ) from None


def _read_hydras(path: Path, since: int) -> dict[str, Any]:
    """Returns the config as Hydra wrote it down, which says no format."""
    content = read_bytes(path, limit=_YAML_BYTES)
    try:
        found = conform(parse_yaml(content), dict[str, Any])
    except ValueError as error:
        raise RecordError(path, str(error)) from error
    # Its links name the keys of then.
    return dict(upgrade_config(_resolve(found, path), since))


def _resolve(found: dict[str, Any], path: Path) -> dict[str, Any]:
    """Follows links between the keys; what would read the environment is refused."""
    if problems := [*find_unresolved(found, _CALL)]:
        raise ConfigError(problems, f"The record {path}")
    plain: Any = OmegaConf.to_container(OmegaConf.create(found), resolve=True)
    return dict(plain)


def _read_images(path: Path) -> Images | None:
    try:
        found: _Fingerprint = read_record(path, _Fingerprint)
    except FileNotFoundError:
        return None
    image = found.get("image")
    if image is None:  # a record of before it was written down
        return None
    height, width, channels = (int(size) for size in image["shape"])
    return Images(
        class_names=tuple(found["classes"]),
        image_shape=(height, width, channels),
        mean=tuple(image["mean"]),
        std=tuple(image["std"]),
    )
