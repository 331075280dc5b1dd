"""What Hydra calls and writes by its own node: held to what is allowed, as the rest is.

Hydra builds its sweeper, launcher and callbacks, `logging` its handlers and formatters,
from whatever path the config names: both follow attributes, out of any package.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from experiments.command.config_folders.permission import read_raw
from experiments.config.code.authority import check_name, components_at
from experiments.config.code.targets import resolve
from experiments.errors import ConfigError, Problem

_CALLED = ("sweeper", "launcher", "callbacks")
_LOGGING = ("hydra_logging", "job_logging")
# What `logging` may build beside a user's own; colorlog is a plugin's of Hydra.
_LOGGERS = (
    "colorlog.ColoredFormatter",
    "logging.FileHandler",
    "logging.Formatter",
    "logging.NullHandler",
    "logging.StreamHandler",
    "logging.handlers.RotatingFileHandler",
    "logging.handlers.TimedRotatingFileHandler",
    "logging.handlers.WatchedFileHandler",
    "rich.logging.RichHandler",
)
_FACTORY = "()"
_STREAMS = ("ext://sys.stdout", "ext://sys.stderr")
_LOG_FILE = re.compile(
    r"\$\{(hydra\.runtime\.output_dir|hydra\.run\.dir|hydra\.sweep\.dir|output_dir)\}"
    r"(/(\w|[-.]|\$\{hydra\.job\.name\})+)+\.(log|txt)"
    r"|hydra-\$\{hydra\.job\.name\}\.log"  # of `hydra/hydra_logging=hydra_debug`
)


def check_surroundings(config: DictConfig) -> Iterator[Problem]:
    """Yields what Hydra's own node would call, or write, that nobody allowed.

    Args:
        config: As composed, with that node.
    """
    allowed = _allowed(config)
    for key, name in _list_named(config):
        problem = _check_named(key, name, allowed)
        if problem is not None:
            yield problem
    for group in _LOGGING:
        yield from _check_texts(read_raw(config.hydra, group), f"hydra.{group}")
    subdir = OmegaConf.select(config, "hydra.output_subdir", default=None)
    if subdir is not None and not re.fullmatch(r"(?!\.\.?$)[\w.-]+", str(subdir)):
        reason = "must be null or the name of one folder, inside of the job's."
        yield Problem("hydra.output_subdir", f"{reason} Received: {subdir!r}.")


def load_objects(config: DictConfig) -> Iterator[Problem]:
    """Yields what is not the class or function that an allowed package defines.

    Imports what Hydra would import next. What is Hydra's own is not looked at.

    Args:
        config: As composed, and found without fault by `check_surroundings`.
    """
    from hydra.utils import get_object

    allowed = _allowed(config)
    for key, named in _list_named(config):
        name = str(named)
        if name in _LOGGERS or name in components_at(key):
            continue
        try:
            found = resolve(name, key=key, allowed=allowed)
        except ConfigError as error:
            yield from error.problems
        else:
            if get_object(name) is not found:
                reason = "must name a class or function of a module."
                yield Problem(f"{key}._target_", f"{reason} Received: {name!r}.")


def _check_named(key: str, name: object, allowed: Sequence[str]) -> Problem | None:
    if not isinstance(name, str) or "${" in name:
        reason = "must be written out, the dotted path of a class or function."
        return Problem(key, f"{reason} Received: {name!r}.")
    if key.startswith(tuple(f"hydra.{group}" for group in _LOGGING)):
        if name in _LOGGERS:
            return None
        reason = f"may build {', '.join(_LOGGERS)}. Received: {name!r}."
        problem = check_name(name, allowed, key=key)
        return problem and Problem(key, reason, problem.hint)
    return check_name(name, allowed, key=key)


def _list_named(config: DictConfig) -> Iterator[tuple[str, object]]:
    """Yields each path of something to call, with the key of the node that has it."""
    for group in _CALLED:
        yield from _find(_settle(config, group), f"hydra.{group}", ("_target_",))
    for group in _LOGGING:
        yield from _find(
            read_raw(config.hydra, group), f"hydra.{group}", (_FACTORY, "class")
        )


def _find(
    node: object, key: str, fields: Sequence[str]
) -> Iterator[tuple[str, object]]:
    if isinstance(node, list):
        for number, child in enumerate(node):
            yield from _find(child, f"{key}[{number}]", fields)
    if isinstance(node, Mapping):
        for name, child in node.items():
            if name in fields:
                yield key, child
            yield from _find(child, f"{key}.{name}", fields)


def _check_texts(node: object, key: str) -> Iterator[Problem]:
    """Yields the texts of a log's setup that import something or write elsewhere."""
    if isinstance(node, Mapping):
        for name, child in node.items():
            yield from _check_texts(child, f"{key}.{name}")
    elif isinstance(node, list):
        for number, child in enumerate(node):
            yield from _check_texts(child, f"{key}[{number}]")
    elif key.endswith(".filename"):
        if not _LOG_FILE.fullmatch(str(node)) or ".." in Path(str(node)).parts:
            reason = f"must be a log file of the job. Received: {str(node)!r}."
            hint = "Such as ${hydra.runtime.output_dir}/mine.log"
            yield Problem(key, reason, hint)
    elif isinstance(node, str) and node.startswith("ext://"):
        if node not in _STREAMS:
            reason = f"must be one of {', '.join(_STREAMS)}. Received: {node!r}."
            yield Problem(key, reason)
    elif isinstance(node, str) and "${" in node:
        yield Problem(key, f"must be written out. Received: {node!r}.")


def _allowed(config: DictConfig) -> list[str]:
    try:
        names: Any = OmegaConf.select(config, "allowed_targets", default=None)
        return [str(name) for name in names or ()]
    except (OmegaConfBaseException, TypeError):
        return []  # told by its own check


def _settle(config: DictConfig, group: str) -> Any:
    """Returns a part of Hydra's node with what its interpolations give now."""
    raw = read_raw(config.hydra, group)
    if "${" not in str(raw):
        return raw
    try:
        return _resolve(config.hydra[group])
    except OmegaConfBaseException:
        return None  # not to be had: Hydra would refuse it likewise


def _resolve(node: Any) -> Any:
    if not OmegaConf.is_config(node):
        return node
    if node._is_none() or node._is_missing():
        return None
    keys = range(len(node)) if OmegaConf.is_list(node) else list(node)
    found = {}
    for key in keys:
        child = node._get_node(key)
        try:
            value = node[key] if key != "_target_" else child._value()
        except OmegaConfBaseException:
            value = None
        found[key] = _resolve(value)
    return list(found.values()) if OmegaConf.is_list(node) else found
