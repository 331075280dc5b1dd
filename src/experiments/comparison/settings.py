"""The settings of runs beside each other."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from experiments.config.reading.fields import is_incidental
from experiments.config.schema.run import RunConfig

ABSENT = "-"
SEED = "seed"
TARGET = "_target_"  # of a component
# What is done with an experiment, and where it comes from, is no setting of it.
_NO_SETTINGS = {"task", "run_id", "from_search"}
_NO_SETTINGS |= {f.name for f in dataclasses.fields(RunConfig) if is_incidental(f)}


def select_settings(leaves: Mapping[str, str]) -> dict[str, str]:
    """Returns what of a config the result depends on.

    Args:
        leaves: The whole config, its values by their dotted keys.
    """
    return {
        key: value
        for key, value in leaves.items()
        if key.partition(".")[0] not in _NO_SETTINGS
    }


def list_differences(
    configs: Sequence[Mapping[str, str]],
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yields the keys whose values are not all the same, and a value a config."""
    for key in gather_names(configs):
        values = tuple(config.get(key, ABSENT) for config in configs)
        if len(set(values)) > 1:
            yield key, values


def gather_names(parts: Sequence[Mapping[str, Any]]) -> list[str]:
    """Returns all names in the order of the first part that has them."""
    return list(dict.fromkeys(name for part in parts for name in part))
