"""Keys of the chosen task, typed without `task.` in front.

Beside `task=serve` there is one thing that `page=true` can mean. A name that is a key
of the whole config, or a group, stays that; what a training takes keeps its `task.`.
"""

import dataclasses
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from experiments.config.schema.run import RunConfig
from experiments.config.schema.task import TrainTaskConfig

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override

    from experiments.command.composing.loader import Loader

_GROUP = "task"
_KEYS = {field.name for field in dataclasses.fields(RunConfig)}
_OF_TRAINING = {field.name for field in dataclasses.fields(TrainTaskConfig)}
_WORD = re.compile(r"(\+{0,2}(?=\w+=)|~)([A-Za-z_]\w*)(=.*)?", re.DOTALL)


def name_task_keys(
    words: Sequence[str], loader: "Loader", config_name: str
) -> list[str]:
    """Returns words in which keys of the chosen task have their whole name.

    Args:
        words: As typed, without flags.
        loader: Composes.
        config_name: The primary config.
    """
    short = [match and match[2] for match in map(_WORD.fullmatch, words)]
    others = {name for name in short if name} - _KEYS
    names = {name for name in others if not loader.folders.group_exists(name)}
    if not names:  # nearly always
        return list(words)
    own = names & _find_names(words, loader, config_name)
    return [
        re.sub(r"^([+~]*)", rf"\1{_GROUP}.", word) if name in own else word
        for word, name in zip(words, short, strict=True)
    ]


def list_own_keys(config: Mapping[Any, Any]) -> set[str]:
    """Returns the keys of a config's task that may be typed without `task.`.

    Args:
        config: As composed.
    """
    task = None
    with suppress(OmegaConfBaseException):  # an interpolation that leads nowhere
        if not OmegaConf.is_missing(config, _GROUP):
            task = config.get(_GROUP)
    if not isinstance(task, Mapping | DictConfig):
        return set()
    return {str(name) for name in task} - _OF_TRAINING - {str(key) for key in config}


def _find_names(words: Sequence[str], loader: "Loader", config_name: str) -> set[str]:
    """Returns the keys that the task has; of several tasks those that all have."""
    typed = [override for word in words for override in _parse(word, loader)]
    loader.permission = loader.permission.with_typed(typed)  # to search folders by
    kept = [o.input_line or "" for o in typed if _chooses(o, loader)]
    chosen = next((o for o in reversed(typed) if o.key_or_group == _GROUP), None)
    each = [kept]
    if chosen is not None and chosen.is_discrete_sweep():
        each = [[*kept, f"{_GROUP}={value}"] for value in chosen.sweep_iterator()]
    found: list[set[str]] = []
    for choices in each:
        try:
            config = loader.load_configuration(config_name, choices, RunMode.MULTIRUN)
        except Exception:  # of many kinds; told when the job is composed
            return set()
        found.append(list_own_keys(config))
    return set.intersection(*found)


def _parse(word: str, loader: "Loader") -> list["Override"]:
    try:
        return loader.parse([word])
    except HydraException:
        return []


def _chooses(override: "Override", loader: "Loader") -> bool:
    """Tells whether an override decides on what there is, not on a value."""
    key = override.key_or_group
    return key == "hydra.searchpath" or loader.folders.group_exists(key)
