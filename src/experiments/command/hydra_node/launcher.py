"""Numbers of `hydra.launcher`, which the launcher's own schema leaves open."""

import importlib
import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from omegaconf import DictConfig, OmegaConf

from experiments.errors import Problem

_MOST = 2**31
_PER_CLUSTER = "array_parallelism"  # of SLURM: jobs of a sweep that run at a time
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


@dataclass(frozen=True, kw_only=True)
class Launch:
    """Where the jobs of a sweep are run.

    Attributes:
        target: Hydra's launcher, its dotted path.
        at_a_time: How many side by side at most; `None` where a queue alone decides.
        is_here: Whether it is this machine.
    """

    target: str = "hydra._internal.core_plugins.basic_launcher.BasicLauncher"
    at_a_time: int | None = 1
    is_here: bool = True

    def side_by_side(self, jobs: int) -> int:
        """Returns how many of so many jobs are in flight at a time."""
        return max(1, jobs if self.at_a_time is None else min(self.at_a_time, jobs))


ON_ITS_OWN = Launch()


def describe_launch(whole: DictConfig) -> Launch:
    """Returns where the launcher of a sweep runs its jobs.

    Args:
        whole: The config with Hydra's own node.
    """
    node = whole.hydra.launcher
    target = str(node._target_)
    name = target.rpartition(".")[2]
    if name == "BasicLauncher":
        return ON_ITS_OWN
    if name == "JoblibLauncher":
        return Launch(target=target, at_a_time=_count_workers(node.get("n_jobs", 1)))
    if name == "LocalLauncher":
        return Launch(target=target, at_a_time=os.cpu_count() or 1)
    most = node.get(_PER_CLUSTER)
    return Launch(target=target, at_a_time=most and int(most), is_here=False)


def _count_workers(n_jobs: int | None) -> int:
    """Returns how many processes joblib starts; a negative number counts from all."""
    if n_jobs is not None and n_jobs > 0:
        return n_jobs
    return int(importlib.import_module("joblib").effective_n_jobs(n_jobs))


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
