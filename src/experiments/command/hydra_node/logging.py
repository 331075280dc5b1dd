"""What is wrong in `hydra.job_logging` and `hydra.hydra_logging`.

Python sets the log up when a job has its folder already, and says little of what it
does not take.
"""

import logging
from collections.abc import Iterator, Mapping
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from experiments.config.reading.convert import nearest, show_value
from experiments.errors import Problem

_PARTS = ("formatters", "filters", "handlers", "loggers")


def check_logging(whole: DictConfig) -> Iterator[Problem]:
    """Yields levels, handlers and formatters that do not exist.

    Args:
        whole: The config with Hydra's own node.
    """
    for name in ("job_logging", "hydra_logging"):
        key = f"hydra.{name}"
        if OmegaConf.is_missing(whole.hydra, name):
            hint = f"For no log of it: hydra/{name}=disabled"
            yield Problem(f"hydra/{name}", "must not be null.", hint)
        node = OmegaConf.select(whole, key, throw_on_missing=False)
        if not isinstance(node, DictConfig):
            continue
        try:
            # A file's name is known in the job only.
            plain = OmegaConf.to_container(node, resolve=False)
        except OmegaConfBaseException:
            continue
        yield from _check_node(plain, key)


def _check_node(node: Any, key: str) -> Iterator[Problem]:
    parts = {name: node.get(name) or {} for name in _PARTS}
    for name, part in parts.items():
        if not isinstance(part, Mapping):
            reason = f"must be a mapping of names. Received: {show_value(part)}."
            yield Problem(f"{key}.{name}", reason)
            return
    root = {} if node.get("root") is None else {"root": node["root"]}
    for kind, group in (("handlers", "handlers"), ("loggers", "loggers"), ("", "root")):
        members = root if group == "root" else parts[kind]
        for name, member in members.items():
            place = f"{key}.root" if group == "root" else f"{key}.{kind}.{name}"
            yield from _check_member(member, place, parts)


def _check_member(
    member: Any, key: str, parts: Mapping[str, Mapping[Any, Any]]
) -> Iterator[Problem]:
    """Yields what is wrong with a handler or a logger."""
    if not isinstance(member, Mapping):
        reason = f"must be a mapping of keys. Received: {show_value(member)}."
        yield Problem(key, reason)
        return
    level = member.get("level")
    levels = logging.getLevelNamesMapping()
    names = [name for name, number in levels.items() if number]
    known = level is None or level in levels if isinstance(level, str | None) else False
    if not known and not isinstance(level, int) and "${" not in str(level):
        reason = f"must be one of {', '.join(names)}. Received: {show_value(level)}."
        yield Problem(f"{key}.level", reason, nearest(str(level).upper(), names))
    handlers = member.get("handlers") or []
    if not isinstance(handlers, list):
        reason = f"must be a list of names. Received: {show_value(handlers)}."
        yield Problem(f"{key}.handlers", reason)
        return
    formatter = member.get("formatter")
    wanted = [("handlers", "handlers", name) for name in handlers]
    wanted += [] if formatter is None else [("formatter", "formatters", formatter)]
    for name, kind, member_name in wanted:
        if not isinstance(member_name, str) or member_name not in parts[kind]:
            reason = f"must be {_list(kind, parts)}. Received: "
            yield Problem(f"{key}.{name}", f"{reason}{show_value(member_name)}.")


def _list(kind: str, parts: Mapping[str, Mapping[Any, Any]]) -> str:
    names = ", ".join(map(str, parts[kind]))
    return f"one of the {kind} {names}" if names else f"null: there are no {kind}"
