"""What is printed of configs and plans where nothing is to run."""

import sys
from argparse import ArgumentParser, Namespace

from hydra.types import RunMode
from omegaconf import OmegaConf

from experiments.command.composing.loader import CheckedHydra
from experiments.command.config_folders import machine_configs
from experiments.command.config_folders.local_configs import NAME
from experiments.command.plan import Plan
from experiments.command.typed.task_keys import name_task_keys
from experiments.command.typed.words import check_words
from experiments.errors import ConfigError, Problem
from experiments.jobs.stored import stored_result
from experiments.jobs.weights_file import check_weights
from experiments.launch.configs import explaining
from experiments.launch.readiness import (
    check_images,
    check_sweep_weights,
    list_unfinished,
)
from experiments.screen import confirm_page


def show_hydras_page(
    hydra: CheckedHydra, parser: ArgumentParser, args: Namespace
) -> int:
    """Shows what Hydra knows of itself and of the config, which may be wrong."""
    if problems := [*check_words(args.overrides)]:
        raise ConfigError(problems, "The command line")
    name, loader = args.config_name, hydra.config_loader
    words = name_task_keys(args.overrides, loader, name)
    asked = {"config_name": name, "overrides": words}
    with explaining(hydra):
        if args.hydra_help:
            hydra.hydra_help(args.config_name, args_parser=parser, args=args)
        else:
            hydra.show_info(args.info, **asked)
    confirm_page()
    return 0


def show_config(hydra: CheckedHydra, plan: Plan, args: Namespace) -> None:
    """Prints what Hydra prints of the config that was checked."""
    if args.cfg == "job" and not (args.package or args.resolve):
        sys.stdout.write(OmegaConf.to_yaml(plan.config))  # as Hydra would
        return
    asked = args.config_name, [*plan.settings, *plan.job]
    with explaining(hydra):
        whole = hydra.compose_config(*asked, RunMode.RUN)
        shown = plan.config if args.cfg == "job" else whole
        package = None if args.package == "_global_" else args.package
        if package and OmegaConf.select(shown, args.package) is None:
            problem = Problem("--package", f"names nothing: {args.package}.")
            raise ConfigError([problem], "The command line")
        hydra.show_cfg(*asked, args.cfg, args.package, args.resolve)


def show_local_files(hydra: CheckedHydra, plan: Plan, config_name: str) -> None:
    """Says which configs of the present folder a job is made of."""
    loader = hydra.config_loader
    local = loader.permission.local
    if local is None and not machine_configs.has_files(loader.folders):
        return  # as for most: nothing is composed for it
    asked = [*plan.settings, *plan.job]
    whole = loader.load_configuration(config_name, asked, RunMode.RUN)
    used = loader.list_used(whole)
    of_machine = machine_configs.select_files(used)
    shared = [file for file in used if file not in of_machine]
    if local is not None and (names := local.select(shared)):
        print(f"configs     of {NAME}/ in this folder: {', '.join(names)}")
    found: dict[str, str] = {}
    for file in of_machine:
        found |= machine_configs.list_set(file, loader.folders)
        words = ", ".join(f"{key}={value}" for key, value in found.items())
        print(f"machine     {NAME}/{file.name.removesuffix('.yaml')}.yaml: {words}")
    machine_configs.remember_set([*found])


def show_forecast(plan: Plan) -> int:
    """Shows what would be run; reads records of earlier jobs for it."""
    from experiments.forecast.forecast import show_forecast

    if plan.multirun:
        check_sweep_weights(plan)
        check_images(list_unfinished(plan))
    elif stored_result(plan.folder, plan.run) is None:
        check_weights(plan.run, plan.folder)
        check_images([plan.run])
    return show_forecast(plan)
