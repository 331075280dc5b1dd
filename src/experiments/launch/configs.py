"""Hydra with the configs that a command line may use, and what it refuses in words."""

import os
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hydra.types import TaskFunction

from experiments.command.answers.diagnosis import explain, is_hydras
from experiments.command.composing.loader import CheckedHydra, open_hydra
from experiments.command.config_folders.local_configs import find_local
from experiments.command.hydra_node.flags import (
    find_configs,
    find_own_folder,
    name_application,
)
from experiments.errors import ConfigError, ExperimentError, summarise_error


@contextmanager
def open_configs(
    task: TaskFunction, config_path: str, config_name: str, args: Namespace
) -> Iterator[CheckedHydra]:
    """Opens the Hydra that reads the project's configs, this folder's and others."""
    own = find_own_folder(task, config_path)
    local = find_local(Path(own.removeprefix("file://")), args.config_name)
    with open_hydra(
        find_configs(task, config_path, args, local=local),
        name=name_application(task),
        own=own,
        primary=config_name,
        local=local,
    ) as hydra:
        yield hydra


@contextmanager
def explaining(hydra: CheckedHydra) -> Iterator[None]:
    """Tells in a sentence what Hydra refuses."""
    try:
        yield
    except ExperimentError:
        raise
    except SystemExit as end:
        if end.__cause__ is None:  # else a sweeper has said why
            raise ExperimentError(f"{summarise_error(end)}.") from end
        raise
    except Exception as error:
        if os.environ.get("HYDRA_FULL_ERROR") == "1" or not is_hydras(error):
            raise
        problem = explain(error, hydra.config_loader)
        raise ConfigError([problem], "The command line") from error
