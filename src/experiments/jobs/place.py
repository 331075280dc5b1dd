"""Where a checked command line works: the folder of a run or of a sweep, ready."""

import os
from dataclasses import replace

from experiments.command.plan import Plan
from experiments.config.paths import find_obstacle
from experiments.errors import ConfigError, Problem
from experiments.jobs.folder import (
    choose_folder,
    refuse_newer_records,
    refuse_outer_links,
)


def choose_place(plan: Plan) -> Plan:
    """Returns the plan with the folder to work in: the newest attempt, or a new one.

    Raises:
        ConfigError: There can be no such folder.
        ExperimentError: A link in it leads out of it, or a later release worked there.
    """
    try:
        if (obstacle := find_obstacle(plan.folder)) is not None:
            raise _unusable(plan, obstacle)
        folder = choose_folder(plan.folder, fresh=plan.run.fresh)
    except OSError as error:  # such as a name that is too long
        reason = f"{plan.folder} cannot be looked into ({error.strerror})"
        raise _unusable(plan, reason) from error
    refuse_outer_links(folder, depth=3 if plan.multirun else 2)
    refuse_newer_records(folder, depth=2 if plan.multirun else 1)
    return replace(plan, folder=folder)


def create_place(plan: Plan) -> None:
    """Makes the folder of a plan, if it is not there.

    Raises:
        ConfigError: It cannot be made or written.
    """
    folder = plan.folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = f"{folder} cannot be created ({error.strerror})"
        raise _unusable(plan, reason) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise _unusable(plan, f"{folder} cannot be written")


def _unusable(plan: Plan, reason: str) -> ConfigError:
    message = f"must be a folder that can be written: {reason}. "
    message += f"Received: {plan.run.output_dir}."
    return ConfigError([Problem("output_dir", message, "Name another one.")])
