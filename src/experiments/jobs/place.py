"""Where a checked command line works: the folder of a run or of a sweep, ready."""

import atexit
import os
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

from experiments.command.plan import Plan
from experiments.config.kinds.paths import find_obstacle
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
    if getattr(plan.run.task, "works_anywhere", False):
        plan = _leave_if_refused(plan)
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


def _leave_if_refused(plan: Plan) -> Plan:
    """Returns the plan with a temporary folder where nothing can be written.

    What looks at a machine has to tell of such a folder, and of the rest of it.
    """
    try:
        create_place(plan)
    except ConfigError:
        try:
            place = tempfile.mkdtemp()
        except OSError:
            return plan  # which is refused
        atexit.register(shutil.rmtree, place, ignore_errors=True)
        return replace(plan, folder=Path(place, plan.folder.name))
    return plan


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
