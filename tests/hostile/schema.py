"""The keys, files and flags that exist: what a hostile command line is built from."""

import dataclasses
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from hydra.conf import HydraConf

from experiments.config.reading.fields import is_component
from experiments.config.schema.run import RunConfig
from tests.conftest import CONF

_SCHEMAS = "experiments.schemas"


@dataclasses.dataclass(frozen=True)
class Leaf:
    """A key that takes a value.

    Attributes:
        key: Dotted path.
        annotation: Its type.
        choice: An override that makes the key exist, such as `model=resnet18`; empty
            where it always does.
    """

    key: str
    annotation: Any
    choice: str = ""


@cache
def list_options() -> dict[str, tuple[str, ...]]:
    """Returns group -> its files, Hydra's own groups of the repository included."""
    groups = sorted({path.parent for path in CONF.rglob("*.yaml")} - {CONF})
    return {
        str(group.relative_to(CONF)): tuple(sorted(p.stem for p in group.glob("*.y*")))
        for group in groups
    }


@cache
def list_leaves() -> tuple[Leaf, ...]:
    """Returns every key of the schema, of each component's every kind."""
    return tuple(_walk(RunConfig, ""))


@cache
def list_hydra_leaves() -> tuple[Leaf, ...]:
    """Returns the keys of Hydra's own node and of this project's sweeper."""
    sweeper = yaml.safe_load((CONF / "hydra/sweeper/keras_tuner.yaml").read_text())
    choice = "hydra/sweeper=keras_tuner"
    found = [Leaf(f"hydra.sweeper.{k}", type(v), choice) for k, v in sweeper.items()]
    logs = ("job_logging", "hydra_logging", "sweeper", "launcher", "callbacks")
    found += [Leaf(f"hydra.{name}", dict) for name in logs]
    found += [
        Leaf(f"hydra.job_logging.{key}", str)
        for key in ("root.level", "root.handlers", "version", "formatters.x.format")
    ]
    return (*_walk(HydraConf, "hydra."), *found)


def _walk(schema: Any, prefix: str, choice: str = "") -> Iterator[Leaf]:
    for field in dataclasses.fields(schema):
        key = f"{prefix}{field.name}"
        if field.name == "extra":
            continue
        if is_component(field):
            yield from _walk_component(field, key)
        elif dataclasses.is_dataclass(field.type):
            yield from _walk(field.type, f"{key}.", choice)
        else:
            yield Leaf(key, field.type, choice)


def _walk_component(field: dataclasses.Field[Any], key: str) -> Iterator[Leaf]:
    _, schemas = field.metadata[_SCHEMAS]
    for option in list_options().get(key, ()):
        for name, target in _find_targets(CONF / key / f"{option}.yaml"):
            schema = schemas.get(target)
            if schema is None:
                continue
            prefix = f"{key}.{name}." if name else f"{key}."
            # A callback is added to the others: `callbacks=[default,tensorboard]`.
            choice = f"{key}=[default,{option}]" if name else f"{key}={option}"
            yield from _walk(schema, prefix, choice)


def _find_targets(path: Path) -> Iterator[tuple[str, str]]:
    """Yields name and `_target_` of what a file declares; its name may be empty."""
    content = yaml.safe_load(path.read_text()) or {}
    if "_target_" in content:
        yield "", content["_target_"]
        return
    for name, node in content.items():
        if isinstance(node, dict) and "_target_" in node:
            yield name, node["_target_"]
    for base in content.get("defaults", []):
        if isinstance(base, str) and base != "_self_":
            yield from _find_targets(path.parent / f"{base}.yaml")
