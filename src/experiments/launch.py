"""From a command line to an exit code.

0: every job finished. 1: a job failed. 2: the configuration is wrong and nothing was
started. 75: stopped by Ctrl-C or a signal; the same command continues. 130: stopped at
once by a second Ctrl-C.
"""

import atexit
import dataclasses
import gc
import os
import re
import shlex
import sys
import tempfile
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from hydra.types import RunMode, TaskFunction
from omegaconf import OmegaConf

from experiments import job_files
from experiments.command.answers.diagnosis import explain, is_hydras
from experiments.command.completion.answer import answer_completion
from experiments.command.composing.composer import quote
from experiments.command.composing.loader import CheckedHydra, open_hydra
from experiments.command.config_folders import machine_configs
from experiments.command.config_folders.local_configs import NAME, find_local
from experiments.command.config_folders.permission import Permission
from experiments.command.data_jobs import (
    needs_run,
    plans_itself,
    reads_corrections,
    reads_known_place,
)
from experiments.command.help import describe_usage
from experiments.command.hydra_node.files import hide_secrets_of_sweep
from experiments.command.hydra_node.flags import (
    UnreadableFlagsError,
    check_flags,
    find_configs,
    find_own_folder,
    make_parser,
    name_application,
    typed_flags,
)
from experiments.command.plan import Plan, check
from experiments.command.sweeping.job_words import select_overrides
from experiments.command.typed.task_keys import name_task_keys
from experiments.command.typed.words import check_words
from experiments.command.verbs import answer_verb
from experiments.config.checks.memory import check_memory
from experiments.config.identity import keeps_result
from experiments.config.programs import (
    FLAGS_VARIABLE,
    SCRIPT_VARIABLE,
    name_command,
    typed_script,
)
from experiments.config.schema.run import RunConfig
from experiments.config.schema.task import EvaluateTaskConfig, ReproduceTaskConfig
from experiments.config.validation import read_dataset
from experiments.config.weights import RUN
from experiments.errors import (
    ConfigError,
    DataError,
    ExperimentError,
    Preempted,
    Problem,
    RestartNeeded,
    TrackingError,
    summarise_error,
)
from experiments.faults import report_fault
from experiments.interruption import StopRequest, signals_as_requests, time_limit
from experiments.jobs.children.child_sweep import tell_folder
from experiments.jobs.folder import claim_folder, is_held
from experiments.jobs.job import (
    PROCESS_VARIABLE,
    SWEEP_VARIABLE,
    SWEPT_VARIABLE,
    JobResult,
)
from experiments.jobs.place import choose_place, create_place
from experiments.jobs.stored import show_stored, stored_result
from experiments.jobs.sweep_place import COUNT_VARIABLE, forget_places
from experiments.jobs.weights_file import check_weights
from experiments.own_code import admit_code, describe_variable
from experiments.redaction import learn_secrets
from experiments.screen import confirm_page, find_loss, guard_screen, losing_lines
from experiments.tracking.tracker import Tracker

if TYPE_CHECKING:
    from experiments.jobs.runs.run_names import Settled

SAFE_PATH_VARIABLE = "PYTHONSAFEPATH"  # Python's own


def main(task: TaskFunction, *, config_path: str, config_name: str = "config") -> int:
    """Checks the command line, lets Hydra run it and reports.

    Args:
        task: Runs one job; gets the composed config without Hydra's own node.
        config_path: Folder of the primary config, relative to the file of `task`.
        config_name: The primary config.

    Returns:
        The exit code, see the module.
    """
    guard_screen()
    # At its end the interpreter would look through all libraries once more.
    atexit.register(gc.freeze)
    # Before anything is added to it; the interpreter's own flags are in there too.
    command = [sys.executable, *sys.orig_argv[1:]]
    learn_secrets(sys.argv[1:])
    try:
        parser = make_parser()
        args = _read_flags(parser, task, config_path, config_name)
        with losing_lines():
            code = _start(task, config_path, parser, args, config_name)
        if (loss := find_loss()) is not None:
            print(f"What was printed is not all there: {loss}.", file=sys.stderr)
        return code
    except ExperimentError as error:
        print(error, *getattr(error, "__notes__", ()), sep="\n", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("Stopped by Ctrl-C.", file=sys.stderr)
        return 130
    except RestartNeeded as restart:
        print(restart, file=sys.stderr)
        _restart(_name_runs(command, getattr(args, "runs", {})))
    except Preempted as stop:
        print(f"Stopped by {stop}. {stop.advice}", file=sys.stderr)
        return stop.exit_code
    except Exception as error:
        if os.environ.get("HYDRA_FULL_ERROR") == "1":
            raise
        print(report_fault(error), file=sys.stderr)
        return 1


def _read_flags(
    parser: ArgumentParser, task: TaskFunction, config_path: str, config_name: str
) -> Namespace:
    """Returns the flags, and the overrides among them.

    Raises:
        ConfigError: A flag is none, or lacks its value; with what may be meant.
    """
    try:
        args = parser.parse_intermixed_args()  # flags may stand among the overrides
    except UnreadableFlagsError as error:
        from experiments.command.answers.mistyped_flags import explain_flags
        from experiments.command.answers.suggestion import look_around

        usual = parser.parse_args([f"--config-name={config_name}"])
        with _open_configs(task, config_path, config_name, usual) as hydra:
            known = look_around(hydra.config_loader, config_name)
            problems = explain_flags(sys.argv[1:], parser, known)
        problems = problems or [Problem("flags:", f"{error}.")]
        raise ConfigError(problems, "The command line") from None
    args.config_name = args.config_name or config_name
    return args


def _start(
    task: TaskFunction,
    config_path: str,
    parser: ArgumentParser,
    args: Namespace,
    config_name: str,
) -> int:
    """Finds the configs and does what the command line says."""
    if answer_verb(args.overrides):
        return 0
    check_flags(args)
    open_configs = partial(_open_configs, task, config_path, config_name)
    if args.shell_completion:
        print(answer_completion(args.overrides, parser, open_configs), end="")
        return 0
    with open_configs(args) as hydra:
        try:
            if args.hydra_help or args.info:
                return _show_hydras_page(hydra, parser, args)
            return _answer(hydra, task, args, typed_flags(args, config_name))
        except ConfigError as error:
            local = hydra.config_loader.permission.local
            if local is not None:
                error.add_note(local.describe(name_command()))
            raise


@contextmanager
def _open_configs(
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


def _show_hydras_page(
    hydra: CheckedHydra, parser: ArgumentParser, args: Namespace
) -> int:
    """Shows what Hydra knows of itself and of the config, which may be wrong."""
    if problems := [*check_words(args.overrides)]:
        raise ConfigError(problems, "The command line")
    name, loader = args.config_name, hydra.config_loader
    words = name_task_keys(args.overrides, loader, name)
    asked = {"config_name": name, "overrides": words}
    with _explaining(hydra):
        if args.hydra_help:
            hydra.hydra_help(args.config_name, args_parser=parser, args=args)
        else:
            hydra.show_info(args.info, **asked)
    confirm_page()
    return 0


def _answer(
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
        if more := _look_at_data(error):
            raise ConfigError([*error.problems, *more], error.title) from error
        raise
    plan = dataclasses.replace(plan, flags=(*flags, *plan.flags))
    if args.help:
        print(describe_usage(plan.config, hydra.config_loader.folders))
        if (local := hydra.config_loader.permission.local) is not None:
            print(local.describe(name_command()))
    elif args.cfg:
        _show_config(hydra, plan, args)
    if args.help or args.cfg:
        confirm_page()
        return 0
    if plan.unused:
        problems = _suggest_instead(plan)
        try:
            with suppress(DataError):  # is told next
                _check_data([jobs.run for jobs in plan.data_jobs])
        except ConfigError as error:
            problems += error.problems
        raise ConfigError(problems, "The command line")
    if runs := _settle_names(plan):
        # By what they mean now: a job is named by what it is.
        for key, settled in runs.items():
            for found in settled.found:
                print(f"{key}={found.typed} is {found}")
        args.runs = {key: settled.words for key, settled in runs.items()}
        args.overrides = _name_runs(args.overrides, args.runs)
        return _answer(hydra, task, args, flags)
    if isinstance(plan.run.task, ReproduceTaskConfig):
        from experiments.jobs.runs.repetition import name_repetition

        plan = name_repetition(plan)
    plan = choose_place(plan)
    _prepare_environment(hydra.config_loader.permission, plan)
    _show_local_files(hydra, plan, args.config_name)
    if plan.run.plan and not plans_itself(plan.run):
        return _show_forecast(plan)
    with signals_as_requests(_describe_stop(plan)):
        if not plan.multirun:
            return _run_single(hydra, task, plan, args)
        _check_weights(plan)
        _check_data(_list_unfinished(plan))
        create_place(plan)
        with claim_folder(plan.folder):
            return _run_sweep(hydra, task, plan, args)


def _look_at_data(error: ConfigError) -> Sequence[Problem]:
    """Returns what is wrong with the images of a job whose config is wrong too."""
    dataset = None if error.config is None else read_dataset(error.config)
    if dataset is None or dataset.known_place is None:
        return ()
    from experiments.data.readiness.check import check_dataset

    try:
        check_dataset(dataset)
    except ConfigError as found:
        return found.problems
    return ()


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


def _prepare_environment(permission: Permission, plan: Plan) -> None:
    """Tells the processes that will be started what this one knows."""
    os.environ |= {
        PROCESS_VARIABLE: str(os.getpid()),
        SCRIPT_VARIABLE: typed_script(),
        FLAGS_VARIABLE: shlex.join(plan.flags),
        # `python -m` would look for its first modules where the command was typed.
        SAFE_PATH_VARIABLE: "1",
    }
    admit_code(Path.cwd(), [*plan.run.allowed_targets, *permission.names])


def _show_forecast(plan: Plan) -> int:
    """Shows what would be run; reads records of earlier jobs for it."""
    from experiments.forecast.forecast import show_forecast

    if plan.multirun:
        _check_weights(plan)
        _check_data(_list_unfinished(plan))
    elif stored_result(plan.folder, plan.run) is None:
        check_weights(plan.run, plan.folder)
        _check_data([plan.run])
    return show_forecast(plan)


def _show_local_files(hydra: CheckedHydra, plan: Plan, config_name: str) -> None:
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


def _show_config(hydra: CheckedHydra, plan: Plan, args: Namespace) -> None:
    """Prints what Hydra prints of the config that was checked."""
    if args.cfg == "job" and not (args.package or args.resolve):
        sys.stdout.write(OmegaConf.to_yaml(plan.config))  # as Hydra would
        return
    asked = args.config_name, [*plan.settings, *plan.job]
    with _explaining(hydra):
        whole = hydra.compose_config(*asked, RunMode.RUN)
        shown = plan.config if args.cfg == "job" else whole
        package = None if args.package == "_global_" else args.package
        if package and OmegaConf.select(shown, args.package) is None:
            problem = Problem("--package", f"names nothing: {args.package}.")
            raise ConfigError([problem], "The command line")
        hydra.show_cfg(*asked, args.cfg, args.package, args.resolve)


@contextmanager
def _explaining(hydra: CheckedHydra) -> Iterator[None]:
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


def _settle_names(plan: Plan) -> "Mapping[str, Settled]":
    """Returns the runs that a command names by a word that may mean others tomorrow."""
    begins_with = str(getattr(plan.run.model, "weights", None))
    named = (plan.run.run_id, plan.run.from_search)
    if named == (None, None) and not begins_with.startswith(RUN):
        return {}
    from experiments.jobs.runs.run_names import settle_names  # and what reads records

    return settle_names(plan)


def _name_runs(
    words: Sequence[str], runs: Mapping[str, str | tuple[str, ...]]
) -> list[str]:
    """Returns words that name runs by what does not change: key -> ids or folders."""
    kept = [word for word in words if word.lstrip("+").partition("=")[0] not in runs]
    return [*kept, *(f"{key}={_quote(named)}" for key, named in runs.items())]


def _quote(named: str | tuple[str, ...]) -> str:
    if isinstance(named, str):
        return quote(named)
    return f"[{','.join(map(quote, named))}]"


def _restart(command: Sequence[str]) -> NoReturn:
    """Replaces this process by a fresh one of the same command, which continues."""
    sys.stdout.flush()
    os.environ.pop(SAFE_PATH_VARIABLE, None)
    # What was started anew must not be started anew again.
    words = [re.sub(r"^\+*fresh=.*", "fresh=false", word) for word in command]
    os.execv(sys.executable, words)  # noqa: S606


def _run_single(
    hydra: CheckedHydra, task: TaskFunction, plan: Plan, args: Namespace
) -> int:
    """Shows what the job left when it finished before, or runs it."""
    result = stored_result(plan.folder, plan.run)
    if result is not None:
        show_stored(result, plan.run)
        return result.exit_code
    check_memory(plan.run)
    check_weights(plan.run, plan.folder)
    _check_data([plan.run])
    _check_model(plan.run)
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
    with _explaining(hydra):
        hydra.run(args.config_name, task, [*plan.settings, *plan.overrides])
    result = None if is_held(plan.folder) else JobResult.load(plan.folder)
    return 1 if result is None else result.exit_code


def _list_unfinished(plan: Plan) -> Iterator[RunConfig]:
    """Yields a config for each data set of which a sweep's jobs are not all done."""
    runs = [jobs.run for jobs in plan.data_jobs]
    if not any(reads_known_place(run) or reads_corrections(run) for run in runs):
        return
    if plan.search is not None:
        from experiments.search.trials.journal import is_complete

        folder = plan.folder / job_files.SEARCH
        if is_complete(folder, plan.search.config.max_trials):
            return
    for jobs in plan.data_jobs:
        names = [plan.job_folders[n] for n in jobs.numbers if plan.job_folders]
        find = partial(stored_result, run=jobs.run, in_sweep=True)
        if not (names and all(find(plan.folder / name) for name in names)):
            yield jobs.run


def _check_weights(plan: Plan) -> None:
    """Refuses a sweep of which a job that is to do has no file to begin with."""
    if plan.search is not None and plan.folder.exists():
        return  # its trials tell
    for jobs in plan.data_jobs:
        if getattr(jobs.run.model, "weights", None) is None:
            continue
        names = [plan.job_folders[n] for n in jobs.numbers if plan.job_folders]
        for folder in [plan.folder / name for name in names] or [plan.folder]:
            if stored_result(folder, jobs.run, in_sweep=True) is None:
                check_weights(jobs.run, folder)


def _check_data(runs: Iterable[RunConfig]) -> None:
    """Refuses a job whose images are not there; most have none to look at."""
    looked_at = [
        run
        for run in runs
        if needs_run(run) or reads_known_place(run) or reads_corrections(run)
    ]
    if looked_at:
        from experiments.data.readiness.check import check_data

        check_data(looked_at)


def _check_model(run: RunConfig) -> None:
    """Looks for the model that a task asks, where no run of this folder is named.

    It is looked for again by the job: one that is not there shall leave no folder.
    """
    name = run.run_id
    if isinstance(name, str) and getattr(run.task, "asks_model", False):
        from experiments.trained.finding import find_trained, is_at_hand

        if not is_at_hand(name, run):
            find_trained(name, run)


def _run_sweep(
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
        with _explaining(hydra), limit, weights:
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
