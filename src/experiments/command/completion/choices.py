"""What a key may be, as far as its type tells."""

import dataclasses
from typing import Any, Literal, get_args, get_origin

from omegaconf import DictConfig, OmegaConf

from experiments.config.reading.fields import is_component, is_path, schema_for
from experiments.config.schema.run import RunConfig


def list_choices(config: DictConfig, key: str) -> list[str] | None:
    """Returns the words that a key takes; `None` for a path.

    Args:
        config: As composed; the `_target_` of a component decides on its keys.
        key: Dotted path.
    """
    schema: Any = RunConfig
    node: Any = config
    *parents, last = key.split(".")
    for name in parents:
        node = node._get_node(name) if isinstance(node, DictConfig) else None
        schema = _descend(schema, name, node)
    field = _find_field(schema, last)
    if field is not None and is_path(field):
        return None
    return [] if field is None else _list_words(field.type)


def _descend(schema: Any, name: str, node: Any) -> Any:
    """Returns what declares the keys of a node, by what declares the node.

    That is a dataclass; for a mapping of names to components the field that holds it.
    """
    is_mapping = isinstance(schema, dataclasses.Field)
    field = schema if is_mapping else _find_field(schema, name)
    if field is None or node is None:
        return None
    if not is_component(field):
        return field.type
    if get_origin(field.type) is dict and not is_mapping:
        return field
    return schema_for(field, OmegaConf.to_container(node, resolve=False))


def _find_field(schema: Any, name: str) -> dataclasses.Field[Any] | None:
    if not dataclasses.is_dataclass(schema):
        return None
    return next((f for f in dataclasses.fields(schema) if f.name == name), None)


def _list_words(kind: Any) -> list[str]:
    if kind is bool:
        return ["true", "false"]
    if kind is type(None):
        return ["null"]
    if get_origin(kind) is Literal:
        words = [(str(choice), isinstance(choice, bool)) for choice in get_args(kind)]
        return [word.lower() if is_bool else word for word, is_bool in words]
    if get_origin(kind) in (list, dict):
        return []
    return [word for part in get_args(kind) for word in _list_words(part)]
