"""A run by what its folder holds, which needs no tracker."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from experiments.config.formats.upgrade import upgrade_config
from experiments.errors import ConfigError, ExperimentError, Problem
from experiments.jobs.made_from.origin import read_origin
from experiments.jobs.runs.catalogue import read_run
from experiments.records import RecordError, newest_format, read_bytes
from experiments.shapes import conform
from experiments.tracking.account import read_account
from experiments.tracking.recorded import RecordedRun, read_config
from experiments.tracking.spool.seen import changed_keys
from experiments.tracking.spool.spool import Spool
from experiments.tracking.store.yaml_text import parse_yaml

_HYDRAS = Path(".hydra", "config.yaml")  # without a tracker there is no other
_YAML_BYTES = 2**20
_CALL = re.compile(r"\$\{[^{}]*:")


def read_folder_run(folder: Path, output_dir: Path) -> RecordedRun:
    """Reads the run of a folder, as this or an earlier release left it.

    Args:
        folder: Of the job.
        output_dir: Of all jobs.

    Raises:
        ExperimentError: No job was started there, or its records are damaged.
        NewerRecordError: A later release wrote one of them.
    """
    config = read_folder_config(folder)
    listed, account = read_run(folder, output_dir), read_account(folder)
    tags = {} if listed is None else listed.tags
    metrics = dict({} if listed is None else listed.metrics)
    if not metrics and account is not None:
        metrics = {k: v for at in account.points.values() for k, v in at.items()}
    choices = {k: v for k, v in tags.items() if k.startswith("choice.")}
    return RecordedRun(
        run_id=(None if listed is None else listed.run_id) or str(folder),
        name=folder.name if listed is None else listed.name,
        config=config,
        choices={key.removeprefix("choice."): v for key, v in choices.items()},
        changed=changed_keys({} if account is None else account.tags),
        origin=read_origin(folder) or {},
        metrics=metrics,
        folder=folder,
    )


def read_folder_config(folder: Path) -> Mapping[str, Any]:
    """Reads the resolved config of the job in a folder, with the keys of today.

    Raises:
        ExperimentError: No job was started there, or its records are damaged.
        NewerRecordError: A later release wrote one of them.
    """
    since = newest_format(folder)
    try:
        return read_config(Spool(folder).artifacts)
    except FileNotFoundError:
        pass
    try:
        return _read_hydras(folder / _HYDRAS, since)
    except FileNotFoundError:
        raise ExperimentError(
            f"{folder} is no folder of a run: it holds no config. Give the folder that "
            "the run printed, such as outputs/runs/resnet50_on_digits-352ce85a."
        ) from None


def find_unresolved(
    content: object, link: re.Pattern[str], *, key: str = ""
) -> Iterator[Problem]:
    """Yields recorded texts that would be resolved a second time, with secrets say.

    Args:
        content: Plain data.
        link: What no text may have.
        key: Dotted path of the content.
    """
    if isinstance(content, Mapping):
        for name, part in content.items():
            inner = f"{key}.{name}" if key else str(name)
            yield from find_unresolved(part, link, key=inner)
    elif isinstance(content, list):
        for number, part in enumerate(content):
            yield from find_unresolved(part, link, key=f"{key}[{number}]")
    elif isinstance(content, str) and link.search(content):
        yield Problem(key, f"must be recorded as a value. Received: {content!r}.")


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
