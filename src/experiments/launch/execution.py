"""What a command line asks for, once its config is checked."""

import dataclasses
from argparse import Namespace
from collections.abc import Sequence
from contextlib import suppress

from hydra.types import TaskFunction

from experiments.command.composing.loader import CheckedHydra
from experiments.command.data_jobs import plans_itself
from experiments.command.help import describe_usage
from experiments.command.plan import Plan, check
from experiments.command.sweeping.job_words import select_overrides
from experiments.config.code.programs import name_command
from experiments.config.schema.task import ReproduceTaskConfig
from experiments.errors import ConfigError, DataError, Problem, TrackingError
from experiments.interruption import StopRequest, signals_as_requests
from experiments.jobs.folder import claim_folder
from experiments.jobs.place import choose_place, create_place
from experiments.launch.named_runs import name_runs, settle_names
from experiments.launch.processes import prepare_environment
from experiments.launch.readiness import (
    check_images,
    check_sweep_weights,
    list_unfinished,
    look_at_data,
)
from experiments.launch.shown import show_config, show_forecast, show_local_files
from experiments.launch.single import run_single
from experiments.launch.sweep import run_sweep
from experiments.screen import confirm_page


def execute(
    hydra: CheckedHydra, task: TaskFunction, args: Namespace, flags: Sequence[str]
) -> int:
    """Checks the config and shows it or runs what it says."""
    try:
        plan = check(
            args.overrides,
            hydra.config_loader,
            config_name=args.config_name,
            multirun=args.multirun,
        )
    except ConfigError as error:
        if more := look_at_data(error):
            raise ConfigError([*error.problems, *more], error.title) from error
        raise
    plan = dataclasses.replace(plan, flags=(*flags, *plan.flags))
    if args.help:
        print(describe_usage(plan.config, hydra.config_loader.folders))
        if (local := hydra.config_loader.permission.local) is not None:
            print(local.describe(name_command()))
    elif args.cfg:
        show_config(hydra, plan, args)
    if args.help or args.cfg:
        confirm_page()
        return 0
    if plan.unused:
        problems = _suggest_instead(plan)
        try:
            with suppress(DataError):  # is told next
                check_images([jobs.run for jobs in plan.data_jobs])
        except ConfigError as error:
            problems += error.problems
        raise ConfigError(problems, "The command line")
    if runs := settle_names(plan):
        # By what they mean now: a job is named by what it is.
        for key, settled in runs.items():
            for found in settled.found:
                print(f"{key}={found.typed} is {found}")
        args.runs = {key: settled.words for key, settled in runs.items()}
        args.overrides = name_runs(args.overrides, args.runs)
        return execute(hydra, task, args, flags)
    if isinstance(plan.run.task, ReproduceTaskConfig):
        from experiments.jobs.runs.repetition import name_repetition

        plan = name_repetition(plan)
    plan = choose_place(plan)
    prepare_environment(hydra.config_loader.permission, plan)
    show_local_files(hydra, plan, args.config_name)
    if plan.run.plan and not plans_itself(plan.run):
        return show_forecast(plan)
    with signals_as_requests(_describe_stop(plan)):
        if not plan.multirun:
            return run_single(hydra, task, plan, args)
        check_sweep_weights(plan)
        check_images(list_unfinished(plan))
        create_place(plan)
        with claim_folder(plan.folder):
            return run_sweep(hydra, task, plan, args)


def _describe_stop(plan: Plan) -> StopRequest:
    """Returns the request of a whole command, which says what a stop leaves."""
    if plan.search is not None:
        return StopRequest(
            "stopping: trials that run save their state first",
            rest="The same command goes on with the search.",
        )
    if plan.multirun:
        rest = "The same command goes on with the jobs that are left."
        return StopRequest("stopping between two jobs", rest=rest)
    return StopRequest()


def _suggest_instead(plan: Plan) -> list[Problem]:
    """Returns what was typed for nothing, and the command that would use it."""
    problems = list(plan.unused)
    if isinstance(plan.run.task, ReproduceTaskConfig) and plan.run.run_id is not None:
        from experiments.tasks.reproduce import suggest_command

        keys = [problem.key for problem in problems]
        typed = select_overrides(plan.overrides, keys)
        # No record can be read, or it would be refused: no command.
        with suppress(TrackingError, ConfigError):
            command = suggest_command(plan, typed)
            hint = f"{problems[-1].hint} To train that run with it: {command}"
            problems[-1] = dataclasses.replace(problems[-1], hint=hint.strip())
    return problems
