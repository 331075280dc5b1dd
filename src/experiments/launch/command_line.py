"""From a command line to an exit code.

0: every job finished. 1: a job failed. 2: the configuration is wrong and nothing was
started. 75: stopped by Ctrl-C or a signal; the same command continues. 130: stopped at
once by a second Ctrl-C.
"""

import atexit
import gc
import os
import sys
from argparse import ArgumentParser, Namespace
from functools import partial

from hydra.types import TaskFunction

from experiments.command.completion.answer import answer_completion
from experiments.command.hydra_node.flags import (
    UnreadableFlagsError,
    check_flags,
    make_parser,
    typed_flags,
)
from experiments.command.verbs import answer_verb
from experiments.config.code.programs import name_command
from experiments.errors import (
    ConfigError,
    ExperimentError,
    Preempted,
    Problem,
    RestartNeeded,
)
from experiments.faults import report_fault
from experiments.launch.configs import open_configs
from experiments.launch.execution import execute
from experiments.launch.named_runs import name_runs
from experiments.launch.processes import restart
from experiments.launch.shown import show_hydras_page
from experiments.redaction import learn_secrets
from experiments.screen import find_loss, guard_screen, losing_lines


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
    except RestartNeeded as need:
        print(need, file=sys.stderr)
        restart(name_runs(command, getattr(args, "runs", {})))
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
        with open_configs(task, config_path, config_name, usual) as hydra:
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
    opening = partial(open_configs, task, config_path, config_name)
    if args.shell_completion:
        print(answer_completion(args.overrides, parser, opening), end="")
        return 0
    with opening(args) as hydra:
        try:
            if args.hydra_help or args.info:
                return show_hydras_page(hydra, parser, args)
            return execute(hydra, task, args, typed_flags(args, config_name))
        except ConfigError as error:
            local = hydra.config_loader.permission.local
            if local is not None:
                error.add_note(local.describe(name_command()))
            raise
