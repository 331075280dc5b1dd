"""From a composed config to a checked, typed one."""

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from experiments.config.checks.consistency import check_consistency
from experiments.config.code.authority import check_allowed
from experiments.config.code.targets import check_targets
from experiments.config.kinds.paths import locate_paths
from experiments.config.kinds.weights import settle_variant
from experiments.config.reading.convert import convert, convert_field
from experiments.config.schema.datasets.dataset import DatasetConfig
from experiments.config.schema.models.model import MODELS, ResNetConfig
from experiments.config.schema.run import RunConfig
from experiments.config.schema.task import (
    TASKS,
    AuditTaskConfig,
    TrainTaskConfig,
)
from experiments.errors import ConfigError, Problem

_ABSENT = re.compile(r"Interpolation key '(\w+)' not found")


def validate(config: DictConfig | Mapping[str, Any]) -> RunConfig:
    """Turns a composed config into a `RunConfig`.

    Args:
        config: What Hydra composed, without Hydra's own node, or plain data.

    Returns:
        The typed config; every key present, in range and consistent with the others.

    Raises:
        ConfigError: All that is wrong, each with its key.
    """
    run, problems = examine(config)
    if problems or run is None:
        raise ConfigError(problems)
    return run


def examine(
    config: DictConfig | Mapping[str, Any],
) -> tuple[RunConfig | None, list[Problem]]:
    """Returns what `validate` would return, or all that it would raise."""
    problems: list[Problem] = []
    return _convert(config, problems), problems


def find_problems(config: DictConfig | Mapping[str, Any]) -> list[Problem]:
    """Returns all that `validate` would raise, as a list."""
    return examine(config)[1]


def read_dataset(config: DictConfig | Mapping[str, Any]) -> DatasetConfig | None:
    """Returns the data set that a config would train on, whatever else is wrong in it.

    `None` where it is not known: its own keys are wrong, a record says which it is, or
    the task trains on none.
    """
    problems: list[Problem] = []
    try:
        plain = resolve(config)
    except OmegaConfBaseException:
        return None
    task = TASKS.get(str((plain.get("task") or {}).get("_target_")), object)
    if not issubclass(task, TrainTaskConfig | AuditTaskConfig) or plain.get(
        "from_search"
    ):
        return None
    (field,) = (f for f in dataclasses.fields(RunConfig) if f.name == "dataset")
    dataset = convert_field(plain.get("dataset"), field, "dataset", problems)
    if problems or not isinstance(dataset, DatasetConfig):
        return None
    return dataset


def resolve(config: DictConfig | Mapping[str, Any]) -> dict[str, Any]:
    """Returns the config as plain data, as it is recorded.

    Interpolations are resolved, paths absolute, and a network's variant is said.
    """
    plain: Any = config
    if isinstance(config, DictConfig):
        plain = OmegaConf.to_container(config, resolve=True)
    return locate_paths(_settle_network(plain), RunConfig)


def _settle_network(plain: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a config in which `auto` is the variant that it stands for."""
    model = plain.get("model")
    if not isinstance(model, Mapping) or MODELS.get(_target_of(model)) != ResNetConfig:
        return dict(plain)
    variant = settle_variant(str(model.get("variant")), model.get("weights"))
    return {**plain, "model": {**model, "variant": variant}}


def _target_of(node: Mapping[str, Any]) -> str:
    return str(node.get("_target_"))


def _convert(
    config: DictConfig | Mapping[str, Any], problems: list[Problem]
) -> RunConfig | None:
    try:
        plain = resolve(config)
    except OmegaConfBaseException as error:
        key = getattr(error, "full_key", None) or "configuration"
        reason = str(error.msg or error).partition("full_key:")[0]
        reason = " ".join(reason.split()).rstrip(".")
        hint = ""
        if absent := _ABSENT.fullmatch(reason):
            reason = f"there is no key {absent[1]}"
            hint = f"A variable of the environment is ${{oc.env:{absent[1]}}}."
        problems.append(Problem(key, f"cannot be resolved: {reason}.", hint))
        return None
    run: RunConfig | None = convert(plain, RunConfig, key="", problems=problems)
    allowed = plain.get("allowed_targets")
    if isinstance(allowed, list):
        names = [str(name) for name in allowed]
        refusal = check_allowed(names)
        problems += [refusal] if refusal else check_targets(plain, names)
    # What is typed beside `from_search` is laid over another config, and checked there.
    if run is not None and not problems and run.from_search is None:
        problems += check_consistency(run)
    return run if not problems else None
