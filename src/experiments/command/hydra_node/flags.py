"""Hydra's flags and the keys of its own node: each one is honoured or refused."""

import dataclasses
import os
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from hydra._internal.utils import (
    create_automatic_config_search_path,
    detect_calling_file_or_module_from_task_function,
    detect_task_name,
    get_args_parser,
)
from hydra.conf import HydraConf
from hydra.core.config_search_path import ConfigSearchPath, SearchPathQuery
from hydra.core.utils import validate_config_path
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import InterpolationKeyError, OmegaConfBaseException

from experiments.command.config_folders.local_configs import LocalConfigs, add_local
from experiments.command.hydra_node.launcher import check_launcher
from experiments.command.hydra_node.logging import check_logging
from experiments.command.typed.words import check_flag
from experiments.config.reading.convert import MISSING, show_value, unknown_key
from experiments.errors import ConfigError, ExperimentError, Problem
from experiments.version import __version__

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override

_JOB_FOLDER = "${job_folder:}"  # is found out with the keys of an experiment
_BY_IDENTITY = (
    "cannot be set: a folder is named after what its job is, by which the same "
    "command finds it again.",
    "To work in another place: output_dir=...",
)
_BY_HYDRA = ("cannot be set: Hydra fills it in.", "")
# Key of Hydra's node, or what it begins with -> why it is refused, what to do.
_REFUSED = {
    "hydra": ("must be set key by key.", "Such as hydra.verbose=true."),
    "hydra.run": _BY_IDENTITY,
    "hydra.sweep": _BY_IDENTITY,
    "hydra.job.name": ("is not used.", "To name the run: name=..."),
    "hydra.job.id": _BY_HYDRA,
    "hydra.job.num": _BY_HYDRA,
    "hydra.job.config_name": ("is not used.", "Give the flag --config-name."),
    "hydra.job.override_dirname": _BY_HYDRA,
    "hydra.overrides": _BY_HYDRA,
    "hydra.runtime": _BY_HYDRA,
    "hydra.help": ("is not used: --help shows a page of the project's own.", ""),
}


class UnreadableFlagsError(ExperimentError):
    """The flags of a command line are none, or lack what they need."""


def make_parser() -> ArgumentParser:
    """Returns Hydra's parser, which tells this project's version.

    What it does not read it raises as an `UnreadableFlagsError`.
    """
    parser = get_args_parser()
    parser.error = _refuse  # type: ignore[method-assign]
    for action in parser._actions:
        if "--version" in action.option_strings:
            action.help = "Show the version and exit"
            action.version = f"experiments {__version__}"  # type: ignore[attr-defined]
    return parser


def _refuse(message: str) -> NoReturn:
    raise UnreadableFlagsError(message)


def check_flags(args: Namespace) -> None:
    """Checks what Hydra's parser lets pass.

    Raises:
        ConfigError: A flag that is not honoured, or flags that exclude each other.
    """
    problems = list(_list_contradictions(args))
    if problems:
        raise ConfigError(problems, "The command line")


def _list_contradictions(args: Namespace) -> Iterator[Problem]:
    if args.experimental_rerun is not None:
        reason = "is not supported: a pickled config says nothing of what came of it."
        hint = "To run a tracked run again: task=reproduce run_id=..."
        yield Problem("--experimental-rerun", reason, hint)
    if args.resolve and not (args.cfg or args.help):
        yield Problem("--resolve", "needs --cfg, such as --cfg job --resolve.")
    if args.package is not None and not args.cfg:
        yield Problem("--package", "needs --cfg, such as --cfg job --package model.")
    flags = {
        "--run": args.run,
        "--multirun": args.multirun and args.cfg != "job",
        "--cfg": args.cfg and args.cfg != "job",
        "--info": args.info,
        "--shell-completion": args.shell_completion,
    }
    for name in ("config_path", "config_dir", "config_name", "package"):
        if value := getattr(args, name):
            yield from check_flag(f"--{name.replace('_', '-')}", value)
    given = [flag for flag, value in flags.items() if value]
    if args.run and args.cfg == "job":
        given.append("--cfg")
    if len(given) > 1:
        shows = args.multirun and not args.run
        hint = "Hydra shows this of a single run only: drop -m." if shows else ""
        yield Problem(given[0], f"cannot go together with {given[1]}.", hint)


def find_configs(
    task: Callable[..., Any],
    config_path: str,
    args: Namespace,
    *,
    local: LocalConfigs | None = None,
) -> ConfigSearchPath:
    """Returns where configs are, as `hydra.main` would.

    Args:
        task: The task function; a relative path is relative to its file.
        config_path: Folder of the primary config.
        args: The flags.
        local: Those of the folder where the command was typed.

    Raises:
        ConfigError: A flag names no folder.
    """
    path = args.config_path or config_path
    try:
        validate_config_path(path)
    except ValueError:
        hint = f"Give its name by itself: --config-name {Path(path).stem}"
        problem = Problem("--config-path", f"must be a folder. Received: {path}.", hint)
        raise ConfigError([problem], "The command line") from None
    if path.startswith("pkg://"):
        reason = "must be a folder: to look into a package is to import it."
        raise ConfigError([Problem("--config-path", reason)], "The command line")
    search_path = _search(task, path)
    if local is not None:
        add_local(search_path, local)
    if args.config_dir is not None:
        add_config_dir(search_path, Path(args.config_dir))
    return search_path


def find_own_folder(task: Callable[..., Any], config_path: str) -> str:
    """Returns the address of the project's own configs, whatever the flags say."""
    places = _search(task, config_path).get_path()
    return next(place.path for place in places if place.provider == "main")


def _search(task: Callable[..., Any], path: str) -> ConfigSearchPath:
    place = detect_calling_file_or_module_from_task_function(task)
    return create_automatic_config_search_path(*place, path)


def name_application(task: Callable[..., Any]) -> str:
    """Returns what Hydra calls an application: the name of its file."""
    return detect_task_name(*detect_calling_file_or_module_from_task_function(task))


def typed_flags(args: Namespace, config_name: str) -> tuple[str, ...]:
    """Returns the flags that say where configs come from, as typed.

    Args:
        args: The flags.
        config_name: The primary config without a flag.
    """
    named = None if args.config_name == config_name else args.config_name
    flags = {
        "--config-path": args.config_path,
        "--config-dir": args.config_dir,
        "--config-name": named,
    }
    given = ((flag, value) for flag, value in flags.items() if value is not None)
    return tuple(word for pair in given for word in pair)


def add_config_dir(search_path: ConfigSearchPath, folder: Path) -> None:
    """Adds a folder of the user's own, where Hydra adds it.

    Raises:
        ConfigError: There is no such folder.
    """
    try:
        is_folder = folder.is_dir()
    except OSError:  # a name that no file can have
        is_folder = False
    if not is_folder:
        problem = Problem("--config-dir", f"must be a folder. Received: {folder}.")
        raise ConfigError([problem])
    search_path.prepend(
        provider="command-line",
        path=f"file://{folder.absolute()}",
        anchor=SearchPathQuery(provider="schema"),
    )


def check_typed(typed: Sequence["Override"]) -> Iterator[Problem]:
    """Yields the keys that nobody may set, most of them of Hydra's own node."""
    for override in typed:
        key = override.key_or_group
        for refused, (reason, hint) in _REFUSED.items():
            if key == refused or (refused != "hydra" and key.startswith(f"{refused}.")):
                yield Problem(key, reason, hint)
        if unknown := _find_unknown(HydraConf, key):
            yield unknown
        if not key:
            words = override.input_line or ""
            yield Problem(words, "names no key.", "Type key=value.")
        names = override.value()
        if key.startswith("hydra.") and names == MISSING:
            yield Problem(key, f"must be a value. Received: {MISSING!r}.")
        if key == "hydra.job.env_copy" and isinstance(names, list):
            absent = [str(name) for name in names if str(name) not in os.environ]
            if absent:
                reason = "must name variables of the environment that exist."
                yield Problem(key, f"{reason} Received: {', '.join(absent)}.")


def _find_unknown(schema: Any, key: str) -> Problem | None:
    """Returns a problem for a key that Hydra's node lets pass, though nothing reads it.

    Below `hydra.launcher`, `hydra.callbacks` and the like anything may be declared.
    """
    root, *names = key.split(".")
    for number, name in enumerate(names if root == "hydra" else ()):
        if not dataclasses.is_dataclass(schema):
            return None
        fields = {field.name: field for field in dataclasses.fields(schema)}
        if name not in fields:
            return unknown_key(".".join(["hydra", *names[: number + 1]]), fields)
        schema = fields[name].type
    return None


def check_hydra_node(whole: DictConfig, *, multirun: bool) -> Iterator[Problem]:
    """Yields what is wrong in Hydra's own node, typed or in a file.

    Args:
        whole: The config with that node.
        multirun: Whether it is a sweep.
    """
    hydra = whole.hydra
    wanted = RunMode.MULTIRUN if multirun else RunMode.RUN
    if hydra.mode not in (None, wanted):
        reason = f"must be {wanted.name} {'with' if multirun else 'without'} -m."
        yield Problem("hydra.mode", f"{reason} Received: {hydra.mode.name}.")
    if multirun and not _is_node(hydra, "sweeper"):
        hint = "The basic one runs all values: hydra/sweeper=basic"
        yield Problem("hydra/sweeper", "must not be null in a sweep.", hint)
    if multirun and not _is_node(hydra, "launcher"):
        hint = "The basic one runs one job after the other: hydra/launcher=basic"
        yield Problem("hydra/launcher", "must not be null in a sweep.", hint)
    if not _is_verbosity(hydra.verbose):
        reason = "must be true, false or the name of a logger or a list of names."
        yield Problem(
            "hydra.verbose", f"{reason} Received: {show_value(hydra.verbose)}."
        )
    yield from _check_job(whole)
    yield from check_logging(whole)
    if multirun:
        yield from check_launcher(whole)
    plain: Any = OmegaConf.to_container(hydra.sweep, resolve=False)
    if multirun and plain["subdir"] != _JOB_FOLDER:
        reason, hint = _BY_IDENTITY
        received = f"{reason} Received: {plain['subdir']!r}."
        yield Problem("hydra.sweep.subdir", received, hint)


def _check_job(whole: DictConfig) -> Iterator[Problem]:
    """Yields what Hydra could not look up when it starts a job.

    It looks without the experiment's own keys.
    """
    job = OmegaConf.masked_copy(whole, "hydra").hydra.job
    if OmegaConf.is_interpolation(job, "env_set"):
        hint = "Such as hydra.job.env_set.NAME=value."
        yield Problem("hydra.job.env_set", "must be a mapping of names.", hint)
        return
    settings = {"hydra.job": job, "hydra.job.env_set": job.env_set or {}}
    for key, node in settings.items():
        for name in node:
            try:
                node[name]
            except InterpolationKeyError as error:
                reason = f"cannot be found out: {str(error).splitlines()[0]}."
                yield Problem(f"{key}.{name}", reason, "Write it out.")
            except OmegaConfBaseException:
                written: Any = OmegaConf.to_container(node)
                if _JOB_FOLDER in str(written[name]):
                    reason = "cannot be the name of the job's folder."
                    yield Problem(f"{key}.{name}", reason, "Write it out.")
                # Else it is known to the job only, such as its number.


def _is_node(hydra: DictConfig, name: str) -> bool:
    """Tells whether a part of Hydra's node is there, with keys of its own."""
    missing = OmegaConf.is_missing(hydra, name)
    return not missing and isinstance(hydra[name], DictConfig)


def _is_verbosity(value: Any) -> bool:
    if isinstance(value, bool):
        return True
    names = OmegaConf.to_object(value) if OmegaConf.is_list(value) else [value]
    return isinstance(names, list) and all(isinstance(name, str) for name in names)
