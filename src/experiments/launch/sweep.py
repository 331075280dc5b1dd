"""The jobs of a sweep or a search below one parent run."""

from argparse import Namespace
from typing import Any

from hydra.types import TaskFunction

from experiments.command.composing.loader import CheckedHydra
from experiments.command.hydra_node.files import hide_secrets_of_sweep
from experiments.command.plan import Plan
from experiments.config.code.programs import SCRIPT_VARIABLE, typed_script
from experiments.errors import summarise_error
from experiments.interruption import time_limit
from experiments.jobs.children.child_sweep import tell_folder
from experiments.jobs.job import SWEEP_VARIABLE, SWEPT_VARIABLE
from experiments.jobs.sweep_place import COUNT_VARIABLE, forget_places
from experiments.launch.configs import explaining
from experiments.own_code import describe_variable
from experiments.tracking.tracker import Tracker


def run_sweep(
    hydra: CheckedHydra, task: TaskFunction, plan: Plan, args: Namespace
) -> int:
    """Runs a sweep under one parent run and shows its table; its folder is held."""
    from experiments.sweeps.best_weights import BestWeights
    from experiments.sweeps.closing import close_sweep, open_sweep
    from experiments.sweeps.job_task import choose_task

    close = close_sweep if plan.search is None else _close_search
    tell_folder(plan.folder)
    hide_secrets_of_sweep()
    forget_places(plan.folder)
    parent = open_sweep(plan)
    weights = BestWeights(plan)
    task, settings = choose_task(task, plan, weights)
    hydra.config_loader.settings = {
        **settings,
        "hydra.sweep.dir": str(plan.folder),
        f"hydra.job.env_set.{SWEPT_VARIABLE}": " ".join(plan.swept_keys),
        f"hydra.job.env_set.{SWEEP_VARIABLE}": str(plan.folder),
        f"hydra.job.env_set.{COUNT_VARIABLE}": _count_jobs(plan),
        f"hydra.job.env_set.{SCRIPT_VARIABLE}": typed_script(),
        **{f"hydra.job.env_set.{k}": v for k, v in describe_variable().items()},
    }
    hours = plan.run.sweep.max_hours
    limit = time_limit(hours and 3600 * hours, f"sweep.max_hours={hours}")
    try:
        with explaining(hydra), limit, weights:
            hydra.multirun(args.config_name, task, [*plan.settings, *plan.overrides])
    except BaseException as stop:
        # Whatever ends the sweep early, its parent run must not stay RUNNING.
        cause = stop.__cause__ if isinstance(stop, SystemExit) else None
        close(parent, plan, stopped_by=summarise_error(cause or stop))
        raise
    return close(parent, plan)


def _count_jobs(plan: Plan) -> str:
    """Returns how many jobs a sweep has; nothing where they are decided one by one."""
    return str(len(plan.jobs)) if plan.search is None and plan.jobs else ""


def _close_search(parent: Tracker, plan: Plan, **options: Any) -> int:
    from experiments.sweeps.search_closing import (
        close_search,  # plots take a second to import
    )

    return close_search(parent, plan, **options)
