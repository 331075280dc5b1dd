"""Starts single jobs on any launcher of Hydra."""

import importlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.core.plugins import Plugins
from hydra.errors import HydraException
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from experiments.errors import ConfigError, ExperimentError, summarise_error
from experiments.workers.report import STOPPED, Report

BASIC = "basic_launcher.BasicLauncher"
JOBLIB = "JoblibLauncher"
RAY = "RayLauncher"
# Their workers run on this machine, whose cores they must share.
LOCAL = (JOBLIB, "submitit_launcher.LocalLauncher")
_REFUSED_SECONDS = 5.0
_MOST_REFUSALS = 2


@dataclass(frozen=True, kw_only=True)
class HydraSweep:
    """What Hydra gives a sweeper.

    Attributes:
        context: Loads configs.
        task: The task function.
        config: Of the sweep, Hydra's own node included.
        arguments: Overrides as typed.
    """

    context: HydraContext
    task: TaskFunction
    config: DictConfig
    arguments: Sequence[str]


class HydraLaunch:
    """Runs one job with overrides; may be called from several threads at once.

    Args:
        sweep: What Hydra gave.
        task: What the launcher calls, a `ContainedTask` or `DirectTask`.
        n_jobs: Calls at a time.
    """

    def __init__(self, sweep: HydraSweep, task: Any, n_jobs: int) -> None:
        config = sweep.config.copy()
        launcher = str(config.hydra.launcher._target_)
        if launcher.endswith(JOBLIB):
            with open_dict(config):
                # Joblib runs jobs in the calling process when it may have only one.
                config.hydra.launcher.n_jobs = max(2, n_jobs)
        if launcher.endswith(RAY):
            _start_ray(config.hydra.launcher.ray.init)
        self._stop: Path | None = getattr(task, "stop_file", None)
        self._refusals = 0
        self._launcher = Plugins.instance().instantiate_launcher(
            hydra_context=sweep.context, task_function=task, config=config
        )

    def __call__(self, overrides: Sequence[str], number: int) -> Report:
        """Runs a job and returns what came of it.

        Raises:
            ExperimentError: The launcher refuses one job after the other, which says
                nothing about them: its queue is closed, or wrongly named.
        """
        begin = time.monotonic()
        if self._is_stopped():  # an attempt that failed is not followed by another
            return STOPPED
        try:
            (returned,) = self._launcher.launch([list(overrides)], number)
            report: Report = returned.return_value
        except (HydraException, OmegaConfBaseException, ConfigError) as error:
            reason = summarise_error(_unwrap(error))
            return Report(status="failed", failure="config", reason=reason)
        except Exception as error:
            if self._is_stopped():  # Ctrl-C reached the launcher's processes too
                return STOPPED
            # The launcher lost its worker: a node died, a queue refused.
            reason = f"the launcher failed: {summarise_error(error)}"
            if time.monotonic() - begin < _REFUSED_SECONDS:
                self._note_refusal(reason, error)
            return Report(status="failed", failure="killed", reason=reason)
        self._refusals = 0
        return report

    def _note_refusal(self, reason: str, error: Exception) -> None:
        self._refusals += 1
        if self._refusals >= _MOST_REFUSALS:
            raise ExperimentError(
                f"{_MOST_REFUSALS} jobs in a row were refused at once: "
                f"{reason.rstrip('.')}. No more are tried; the same command continues."
            ) from error

    def _is_stopped(self) -> bool:
        return self._stop is not None and self._stop.exists()


def _start_ray(settings: DictConfig) -> None:
    """Starts or joins Ray, once: the launcher would do it in each of its threads."""
    ray = importlib.import_module("ray")
    if not ray.is_initialized():
        options: Any = OmegaConf.to_container(settings, resolve=True)
        ray.init(**options)


def _unwrap(error: Exception) -> BaseException:
    """Returns what is wrong with a config; to name its folder OmegaConf checks it."""
    found: BaseException | None = error
    while found is not None and not isinstance(found, ConfigError):
        found = found.__context__
    return found or error
