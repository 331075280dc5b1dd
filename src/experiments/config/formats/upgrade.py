"""What a recorded config of an earlier format means today."""

import copy
import dataclasses
from collections.abc import Mapping
from typing import Any, get_origin

from experiments.config.formats.history import name_all
from experiments.config.reading.fields import added_in, is_component, schema_for
from experiments.config.schema.run import RunConfig


def upgrade_config(config: Any, since: int) -> Any:
    """Returns a recorded config as one of today: keys, targets, and what was added.

    Args:
        config: As recorded, plain data; is not changed. Damaged parts stay as they are.
        since: Format of the record.
    """
    return _fill(name_all(config, since), RunConfig, since)


def _fill(node: Any, schema: Any, since: int) -> Any:
    """Gives a node the keys that its schema got since, as they were before that."""
    if not isinstance(node, Mapping) or not dataclasses.is_dataclass(schema):
        return node
    filled = dict(node)
    for field in dataclasses.fields(schema):
        added = added_in(field)
        if field.name in filled:
            filled[field.name] = _fill_field(filled[field.name], field, since)
        elif added is not None and added.format > since:
            filled[field.name] = copy.deepcopy(added.before)
        elif _is_new(part := _fill({}, field.type, since), field.type):
            filled[field.name] = part
    return filled


def _is_new(part: Mapping[str, Any], schema: Any) -> bool:
    """Tells whether all keys of a group were added since, so that it may be absent."""
    return bool(part) and len(part) == len(dataclasses.fields(schema))


def _fill_field(value: Any, field: dataclasses.Field[Any], since: int) -> Any:
    if not is_component(field):
        return _fill(value, field.type, since)
    if get_origin(field.type) is dict and isinstance(value, Mapping):
        return {k: _fill(v, schema_for(field, v), since) for k, v in value.items()}
    return _fill(value, schema_for(field, value), since)
