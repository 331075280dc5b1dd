"""Starts the jobs of a plain sweep one by one, each in a process of its own.

Hydra's launchers start all jobs of a sweep at once and lose them together. This one
takes their place for the sweeper and gives them single jobs.

Hydra imports this module at every start: nothing heavy may stand at its top.
"""

from collections.abc import Sequence
from typing import Any

from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


class SideBySideLauncher(Launcher):
    """Hands what Hydra gives to `experiments.sweeps`.

    Args:
        **settings: Of the launcher that was asked for; read from the config again.
    """

    def __init__(self, **settings: Any) -> None:
        self._settings = settings
        self._context: HydraContext | None = None
        self._task: Any = None
        self._config: DictConfig | None = None

    def setup(
        self,
        *,
        hydra_context: HydraContext,
        task_function: TaskFunction,
        config: DictConfig,
    ) -> None:
        """Takes what Hydra gives before the sweep."""
        self._context, self._task = hydra_context, task_function
        self._config = config

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[Any]:
        """Runs jobs to their end; returns Hydra's record of each.

        Args:
            job_overrides: What each is.
            initial_job_idx: Number of the first one.
        """
        from experiments.sweeps.side_by_side import run_jobs
        from experiments.workers.hydra_jobs import HydraSweep

        if self._context is None or self._config is None:
            raise RuntimeError("setup() must be called before launch().")
        sweep = HydraSweep(
            context=self._context, task=self._task, config=self._config, arguments=()
        )
        return run_jobs(sweep, job_overrides, first=initial_job_idx)
