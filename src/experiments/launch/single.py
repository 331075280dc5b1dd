"""One job, unless its folder holds what it left."""

import dataclasses
import tempfile
from argparse import Namespace
from pathlib import Path

from hydra.types import TaskFunction

from experiments.command.composing.loader import CheckedHydra
from experiments.command.plan import Plan
from experiments.config.checks.memory import check_memory
from experiments.config.identity import keeps_result
from experiments.config.schema.task import EvaluateTaskConfig
from experiments.jobs.folder import is_held
from experiments.jobs.job import JobResult
from experiments.jobs.place import create_place
from experiments.jobs.stored import show_stored, stored_result
from experiments.jobs.weights_file import check_weights
from experiments.launch.configs import explaining
from experiments.launch.readiness import check_images, check_model


def run_single(
    hydra: CheckedHydra, task: TaskFunction, plan: Plan, args: Namespace
) -> int:
    """Shows what the job left when it finished before, or runs it."""
    result = stored_result(plan.folder, plan.run)
    if result is not None:
        show_stored(result, plan.run)
        return result.exit_code
    check_memory(plan.run)
    check_weights(plan.run, plan.folder)
    check_images([plan.run])
    check_model(plan.run)
    if isinstance(plan.run.task, EvaluateTaskConfig):
        from experiments.trained.images import check_place

        check_place(plan.run, plan.overrides)
    if not plan.run.plan:
        return _run_in_place(hydra, task, plan, args)
    with tempfile.TemporaryDirectory() as folder:  # a plan leaves nothing
        elsewhere = dataclasses.replace(plan, folder=Path(folder))
        return _run_in_place(hydra, task, elsewhere, args)


def _run_in_place(
    hydra: CheckedHydra, task: TaskFunction, plan: Plan, args: Namespace
) -> int:
    """Runs a job in the folder of its plan."""
    create_place(plan)
    obstacle = plan.run.disk_space().find_obstacle()
    if keeps_result(plan.run) and obstacle is not None:  # else it may make room itself
        raise obstacle
    hydra.config_loader.settings = {"hydra.run.dir": str(plan.folder)}
    with explaining(hydra):
        hydra.run(args.config_name, task, [*plan.settings, *plan.overrides])
    result = None if is_held(plan.folder) else JobResult.load(plan.folder)
    return 1 if result is None else result.exit_code
