"""Refuses what no memory of this machine could hold."""

import os
from collections.abc import Callable

from experiments.config.checks import machine
from experiments.config.checks.demand import find_excess, list_demands
from experiments.config.schema.run import RunConfig
from experiments.errors import ConfigError, Problem

# What no GPU is asked about.
_SMALL = 10**9


def check_memory(
    run: RunConfig, *, gpu_memory: Callable[[], int | None] | None = None
) -> None:
    """Checks that a job fits the memory of the machine it is to run on.

    Args:
        run: The job.
        gpu_memory: Returns the bytes of one claimed GPU. Without it a GPU may hold the
            network, unless it is clear that there is none.

    Raises:
        ConfigError: It needs more, and nothing that it might leave out.
    """
    problems: list[Problem] = []
    total = machine.total_memory()
    if gpu_memory is not None:
        problems += find_excess(run, total, on_device=False)
        is_shared = os.environ.get("TF_FORCE_UNIFIED_MEMORY")  # with the machine's
        wanted = sum(d.size for d in list_demands(run) if d.on_device)
        if wanted > _SMALL and not is_shared:
            problems += find_excess(run, gpu_memory(), on_device=True)
    elif run.gpu == "cpu" or not machine.may_have_accelerator():
        problems += find_excess(run, total)
    else:
        problems += find_excess(run, total, on_device=False)
    if problems:
        raise ConfigError(problems, "The job")
