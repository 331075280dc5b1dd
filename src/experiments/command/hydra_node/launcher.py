"""Numbers of `hydra.launcher`, which the launcher's own schema leaves open."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from omegaconf import DictConfig, OmegaConf

from experiments.errors import Problem

_MOST = 2**31
# Key of a launcher -> the largest number that a machine or a cluster can mean.
_MOST_OF = {
    "n_jobs": 1024,
    "timeout_min": 5_256_000,  # ten years
    "nodes": 100_000,
    "tasks_per_node": 1024,
    "cpus_per_task": 1024,
    "gpus_per_node": 1024,
    "gpus_per_task": 1024,
    "mem_gb": 1_000_000,
    "array_parallelism": 100_000,
    "max_num_timeout": 100_000,
}


def check_launcher(whole: DictConfig) -> Iterator[Problem]:
    """Yields the numbers below `hydra.launcher` that nobody can mean.

    Args:
        whole: The config with Hydra's own node.
    """
    node = OmegaConf.select(whole, "hydra.launcher", throw_on_missing=False)
    if isinstance(node, DictConfig):
        yield from _check(OmegaConf.to_container(node, resolve=False), "hydra.launcher")


def _check(value: Any, key: str) -> Iterator[Problem]:
    if isinstance(value, Mapping):
        for name, part in value.items():
            yield from _check(part, f"{key}.{name}")
    elif isinstance(value, int | float) and not isinstance(value, bool):
        most = _MOST_OF.get(key.rpartition(".")[2], _MOST)
        if not (isinstance(value, int) or math.isfinite(value)):
            yield Problem(key, f"must be a finite number. Received: {value}.")
        elif abs(value) > most:
            yield Problem(key, f"must be at most {most:,}. Received: {value}.")
