"""The jobs of trials: where they run, and what a search sets in each of them."""

import importlib
import importlib.util
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from experiments import job_files
from experiments.builders.devices import claim_devices
from experiments.command.sweeping.search_plan import plan_search, sample_jobs
from experiments.config.search.schema import SearchConfig, read_search
from experiments.config.validation import validate
from experiments.workers.container import ContainedTask, DirectTask
from experiments.workers.hydra_jobs import BASIC, JOBLIB, LOCAL, HydraSweep


def claim_here(sweep: HydraSweep) -> None:
    """Sets for trials in this very process what a framework reads at its import.

    Keras Tuner imports one before the first trial. Any other trial has a process that
    claims for itself.
    """
    search = read_search(sweep.config.hydra.sweeper)
    launcher = str(sweep.config.hydra.launcher._target_)
    if search.isolation == "process" or not launcher.endswith(BASIC):
        return
    loader: Any = sweep.context.config_loader
    plan = plan_search(loader.parse(sweep.arguments), sweep.config)
    # Of a trial: the config as it is may be none that could run.
    config = loader.load_sweep_config(sweep.config, list(sample_jobs(plan)[0]))
    names: list[Any] = [name for name in config if name != "hydra"]
    claim_devices(validate(OmegaConf.masked_copy(config, names)))


def import_keras_tuner(*, light: bool) -> None:
    """Imports Keras Tuner, which imports Keras and with it a whole framework.

    Args:
        light: Take Keras' NumPy backend, which spares this process TensorFlow: no
            model is built in it. The trials' processes are not affected.
    """
    former = os.environ.get("KERAS_BACKEND")
    # Keras' NumPy backend takes its Fourier transforms from JAX, which is optional.
    if light and "keras" not in sys.modules and importlib.util.find_spec("jax"):
        os.environ["KERAS_BACKEND"] = "numpy"
    # Of TensorFlow's start nobody needs to know.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        importlib.import_module("keras_tuner")
    finally:
        if former is None:
            os.environ.pop("KERAS_BACKEND", None)
        else:
            os.environ["KERAS_BACKEND"] = former


def choose_task(
    sweep: HydraSweep, search: SearchConfig, *, folder: Path, stop: Path, n_jobs: int
) -> Any:
    """Returns what the launcher calls for each trial.

    Args:
        sweep: What Hydra gave.
        search: Says whether trials have a process of their own.
        folder: Of the search.
        stop: File that exists when the search is being stopped.
        n_jobs: Trials at a time.
    """
    if search.isolation == "none":
        return DirectTask(task=sweep.task)
    launcher = str(sweep.config.hydra.launcher._target_)
    return ContainedTask(
        task=sweep.task,
        stop_file=stop.absolute(),
        minutes=search.trial_minutes,
        silent_minutes=search.silent_minutes,
        workers=n_jobs if launcher.endswith(LOCAL) else None,
        slots=folder.absolute() / job_files.SLOTS,
        trials_per_process=search.trials_per_process,
        trials_per_gpu=search.trials_per_gpu,
        parent=os.getpid() if launcher.endswith(JOBLIB) else None,
    )


def own_overrides(config: DictConfig, fixed: Sequence[str]) -> list[str]:
    """Returns what a search sets in every trial, unless it was typed.

    Models of trials are not recorded: the best one is trained again, or taken from
    its checkpoint.
    """
    key = "tracking.log_model"
    typed = any(override.lstrip("+").startswith(f"{key}=") for override in fixed)
    known = OmegaConf.select(config, key, default=None) is not None
    return [f"{key}=none"] if known and not typed else []
