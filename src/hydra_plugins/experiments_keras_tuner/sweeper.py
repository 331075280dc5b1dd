"""`hydra/sweeper=keras_tuner`: Keras Tuner's oracles decide on the jobs of a sweep.

Hydra imports this module at every start: nothing heavy may stand at its top.
"""

import sys
from collections.abc import Sequence
from typing import Any

from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


class KerasTunerSweeper(Sweeper):
    """Hands what Hydra gives to `experiments.search`.

    Args:
        **settings: As `SearchConfig` declares them; read from the config again.
    """

    def __init__(self, **settings: Any) -> None:
        self._settings = settings
        self._context: HydraContext | None = None
        self._task: TaskFunction | None = None
        self.config: DictConfig | None = None

    def setup(
        self,
        *,
        hydra_context: HydraContext,
        task_function: TaskFunction,
        config: DictConfig,
    ) -> None:
        """Takes what Hydra gives before the sweep."""
        self._context, self._task = hydra_context, task_function
        self.config = config

    def sweep(self, arguments: list[str]) -> Sequence[Any]:
        """Searches; returns the trials.

        Args:
            arguments: Overrides as typed; those with several values are parameters.
        """
        from experiments.errors import ExperimentError
        from experiments.search.trial_jobs import claim_here, import_keras_tuner
        from experiments.workers.hydra_jobs import HydraSweep

        if self._context is None or self._task is None or self.config is None:
            raise RuntimeError("setup() must be called before sweep().")
        sweep = HydraSweep(
            context=self._context,
            task=self._task,
            config=self.config,
            arguments=arguments,
        )
        try:
            claim_here(sweep)
            contained = self.config.hydra.sweeper.isolation == "process"
            import_keras_tuner(light=contained)
            from experiments.search.entry import run_search

            return run_search(sweep)
        except ExperimentError as error:
            # Hydra would show where it was raised, which helps nobody.
            print(error, file=sys.stderr)
            raise SystemExit(error.exit_code) from error
