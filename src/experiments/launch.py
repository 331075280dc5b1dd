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
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import Any, NoReturn

from omegaconf import OmegaConf

from experiments.config.composer import quote
from experiments.config.help import describe_usage
from experiments.config.job import (
    PROCESS_VARIABLE,
    SWEEP_VARIABLE,
    SWEPT_VARIABLE,
    JobResult,
)
from experiments.config.preflight import Plan, check_command_line
from experiments.config.sources import each_file_once
from experiments.errors import (
    ExperimentError,
    Preempted,
    RestartNeeded,
    summarise_error,
)
from experiments.folders import choose_folder, claim_folder, is_held
from experiments.interruption import StopRequest, signals_as_requests
from experiments.tasks.stored import show_stored, stored_result
from experiments.tracking.tracker import Tracker


@each_file_once()
def main(run: Callable[[], Any], *, config_dir: Path) -> int:
    """Checks the command line, lets Hydra run it and reports.

    Args:
        run: The function that `hydra.main` returned.
        config_dir: Folder of the primary config, absolute.

    Returns:
        The exit code, see the module.
    """
    from hydra._internal.utils import get_args_parser

    # At its end the interpreter would look through all libraries once more.
    atexit.register(gc.freeze)
    if isinstance(sys.stdout, TextIOWrapper):
        # A log file or a pipe shows an epoch when it ends, not when the run does.
        sys.stdout.reconfigure(line_buffering=True)
    args = get_args_parser().parse_args()
    # Before anything is added to it; the interpreter's own flags are in there too.
    command = [sys.executable, *sys.orig_argv[1:]]
    if args.resolve and not args.cfg:
        print("--resolve needs --cfg, such as --cfg job --resolve.", file=sys.stderr)
        return 2
    if args.hydra_help or args.shell_completion or args.info:
        run()
        return 0
    try:
        plan = check_command_line(
            args.overrides,
            config_dir=config_dir,
            config_name=args.config_name or "config",
            extra_config_dir=Path(args.config_dir) if args.config_dir else None,
            multirun=args.multirun,
        )
        if args.help:
            print(describe_usage(plan.config, config_dir))
            return 0
        if args.cfg == "job" and not args.package:
            # What `run()` would print, from the config that is composed already.
            print(OmegaConf.to_yaml(plan.config, resolve=args.resolve))
            return 0
        if args.cfg and args.multirun:
            print("Hydra shows this of a single run only: drop -m.", file=sys.stderr)
            return 2
        if args.cfg:
            run()
            return 0
        folder = choose_folder(plan.folder, fresh=plan.run.fresh)
        plan = dataclasses.replace(plan, folder=folder)
        os.environ[PROCESS_VARIABLE] = str(os.getpid())
        with signals_as_requests(StopRequest()), _mode_by_flag():
            if not args.multirun:
                return _run_single(run, plan, args.overrides)
            _create_folder(folder)
            with claim_folder(folder):
                return _run_sweep(run, plan, args.overrides)
    except ExperimentError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("Stopped by Ctrl-C.", file=sys.stderr)
        return 130
    except RestartNeeded as restart:
        print(restart, file=sys.stderr)
        _restart(command)
    except Preempted as stop:
        print(f"Stopped by {stop}. The same command continues.", file=sys.stderr)
        return stop.exit_code


@contextmanager
def _mode_by_flag() -> Iterator[None]:
    """Lets `-m` alone decide between a job and a sweep, as the checks took it.

    Hydra would compose everything once more to see whether `hydra.mode` says otherwise.
    """
    from hydra._internal.hydra import Hydra

    plain = Hydra.get_mode
    Hydra.get_mode = lambda *given, **named: None  # type: ignore[method-assign]
    try:
        yield
    finally:
        Hydra.get_mode = plain  # type: ignore[method-assign]


def _restart(command: Sequence[str]) -> NoReturn:
    """Replaces this process by a fresh one of the same command, which continues."""
    sys.stdout.flush()
    # What was started anew must not be started anew again.
    words = [re.sub(r"^\+*fresh=.*", "fresh=false", word) for word in command]
    os.execv(sys.executable, words)  # noqa: S606


def _create_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ExperimentError(
            f"The output folder {folder} cannot be created: {error.strerror}. "
            "Name one that can be written: output_dir=..."
        ) from error


def _run_single(run: Callable[[], Any], plan: Plan, typed: Sequence[str]) -> int:
    """Shows what the job left when it finished before, or runs it."""
    result = stored_result(plan.folder, plan.run)
    if result is not None:
        show_stored(result, plan.run)
        return result.exit_code
    _create_folder(plan.folder)
    _add_overrides(typed, [f"hydra.run.dir={quote(str(plan.folder))}"])
    run()
    result = None if is_held(plan.folder) else JobResult.load(plan.folder)
    return 1 if result is None else result.exit_code


def _run_sweep(run: Callable[[], Any], plan: Plan, typed: Sequence[str]) -> int:
    """Runs a sweep under one parent run and shows its table; its folder is held."""
    from experiments.tasks.sweep import close_sweep, open_sweep

    close = close_sweep if plan.search is None else _close_search
    parent = open_sweep(plan)
    added = [
        f"hydra.sweep.dir={quote(str(plan.folder))}",
        f"+hydra.job.env_set.{SWEPT_VARIABLE}={quote(' '.join(plan.swept_keys))}",
        f"+hydra.job.env_set.{SWEEP_VARIABLE}={quote(str(plan.folder))}",
    ]
    _add_overrides(typed, added)
    try:
        run()
    except BaseException as stop:
        # Whatever ends the sweep early, its parent run must not stay RUNNING.
        close(parent, plan, stopped_by=summarise_error(stop))
        raise
    return close(parent, plan)


def _close_search(parent: Tracker, plan: Plan, **options: Any) -> int:
    from experiments.tasks.search import close_search  # plots take a second to import

    return close_search(parent, plan, **options)


def _add_overrides(typed: Sequence[str], added: Sequence[str]) -> None:
    """Puts overrides beside the typed ones: a flag between them is refused."""
    position = sys.argv.index(typed[-1]) + 1 if typed else len(sys.argv)
    sys.argv[position:position] = added
