"""From a command line to an exit code.

0: every job finished. 1: a job failed. 2: the configuration is wrong and nothing was
started. 130 and 143: stopped by Ctrl-C and by SIGTERM.
"""

import logging
import os
import re
import signal
import sys
from collections.abc import Callable, Sequence
from io import TextIOWrapper
from pathlib import Path
from types import FrameType
from typing import Any

from omegaconf import DictConfig, OmegaConf

from experiments.config.help import describe_usage
from experiments.config.job import Job, JobResult
from experiments.config.preflight import Plan, check_command_line, select_overrides
from experiments.config.targets import resolve as resolve_target
from experiments.config.validation import resolve, validate
from experiments.errors import ExperimentError, Terminated, summarise_error

log = logging.getLogger(__name__)

PARENT_VARIABLE = "EXPERIMENTS_PARENT_RUN"
SWEPT_VARIABLE = "EXPERIMENTS_SWEPT_KEYS"


def main(run: Callable[[], Any], *, config_dir: Path) -> int:
    """Checks the command line, lets Hydra run it and reports.

    Args:
        run: The function that `hydra.main` returned.
        config_dir: Folder of the primary config, absolute.

    Returns:
        The exit code, see the module.
    """
    from hydra._internal.utils import get_args_parser

    if isinstance(sys.stdout, TextIOWrapper):
        # A log file or a pipe shows an epoch when it ends, not when the run does.
        sys.stdout.reconfigure(line_buffering=True)
    args = get_args_parser().parse_args()
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
        if args.cfg:
            run()
            return 0
        signal.signal(signal.SIGTERM, _terminate)
        _create_folder(plan.folder)
        launch = _run_sweep if args.multirun else _run_single
        return launch(run, plan, args.overrides)
    except ExperimentError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("Stopped by Ctrl-C.", file=sys.stderr)
        return 130
    except Terminated:
        print("Stopped by SIGTERM.", file=sys.stderr)
        return 143


def run_job(config: DictConfig) -> float:
    """Runs one job inside Hydra and leaves its `result.json`.

    Args:
        config: The composed config, without Hydra's own node.

    Returns:
        The objective; NaN when the job failed, which every sweeper takes for a failure.
    """
    job = _describe_job(config)
    try:
        task = resolve_target(job.run.task._target_, key="task")
        result: JobResult = task(job)
    except (KeyboardInterrupt, Terminated) as stop:
        _unfinished(job, stop).save()
        raise
    except Exception as error:
        result = _unfinished(job, error)
        _show_failure(error)
    result.save()
    return float("nan") if result.objective is None else result.objective


def _describe_job(config: DictConfig) -> Job:
    """Gathers what Hydra knows about the running job."""
    from hydra.core.hydra_config import HydraConfig

    hydra = HydraConfig.get()
    run = validate(config)
    choices = {
        str(k): str(v) for k, v in hydra.runtime.choices.items() if v is not None
    }
    overrides = tuple(hydra.overrides.task)
    swept = os.environ.get(SWEPT_VARIABLE, "").split()
    differing = select_overrides(overrides, swept)
    return Job(
        run=run,
        resolved=resolve(config),
        output_dir=Path(hydra.runtime.output_dir),
        overrides=overrides,
        choices={k: v for k, v in choices.items() if not k.startswith("hydra/")},
        name=" ".join(differing)
        or run.name
        or f"{choices['model']} on {choices['dataset']}",
        parent_run_id=os.environ.get(PARENT_VARIABLE),
    )


def _unfinished(job: Job, error: BaseException) -> JobResult:
    """Describes a job that was stopped or has failed."""
    stopped = isinstance(error, KeyboardInterrupt | Terminated)
    return JobResult(
        name=job.name,
        status="KILLED" if stopped else "FAILED",
        overrides=job.overrides,
        output_dir=str(job.output_dir),
        reason=summarise_error(error),
        exit_code=error.exit_code if isinstance(error, ExperimentError) else 1,
    )


def _show_failure(error: Exception) -> None:
    """Writes the traceback into the job's log, and on the screen where it helps."""
    from hydra.core.hydra_config import HydraConfig
    from hydra.types import RunMode

    if HydraConfig.get().mode == RunMode.MULTIRUN:
        log.info("The job failed.", exc_info=error)
    elif isinstance(error, ExperimentError):
        log.info("The job failed.", exc_info=error)
        print(error, file=sys.stderr)
    else:
        log.error("The job failed.", exc_info=error)


def _terminate(number: int, frame: FrameType | None) -> None:
    raise Terminated


def _create_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ExperimentError(
            f"The output folder {folder} cannot be created: {error.strerror}. "
            "Name one that can be written: output_dir=..."
        ) from error


def _run_single(run: Callable[[], Any], plan: Plan, typed: Sequence[str]) -> int:
    _add_overrides(typed, [f"hydra.run.dir={_quote(str(plan.folder))}"])
    run()
    result = JobResult.load(plan.folder)
    return 1 if result is None else result.exit_code


def _run_sweep(run: Callable[[], Any], plan: Plan, typed: Sequence[str]) -> int:
    """Runs a sweep under one parent run and shows its table."""
    from experiments.tasks.sweep import close_sweep, open_sweep

    parent = open_sweep(plan)
    added = [
        f"hydra.sweep.dir={_quote(str(plan.folder))}",
        f"+hydra.job.env_set.{SWEPT_VARIABLE}={_quote(' '.join(plan.swept_keys))}",
    ]
    if parent.run_id is not None:
        added.append(f"+hydra.job.env_set.{PARENT_VARIABLE}={parent.run_id}")
    _add_overrides(typed, added)
    try:
        run()
    except BaseException as stop:
        # Whatever ends the sweep early, its parent run must not stay RUNNING.
        close_sweep(parent, plan, stopped_by=summarise_error(stop))
        raise
    return close_sweep(parent, plan)


def _add_overrides(typed: Sequence[str], added: Sequence[str]) -> None:
    """Puts overrides beside the typed ones: a flag between them is refused."""
    position = sys.argv.index(typed[-1]) + 1 if typed else len(sys.argv)
    sys.argv[position:position] = added


def _quote(text: str) -> str:
    """Quotes a text for Hydra's override grammar.

    There a backslash is one, unless it stands before a quote or at the end.
    """

    def escape(match: re.Match[str]) -> str:
        return match[1] * 2 + ("\\'" if match[2] else "")

    escaped = re.sub(r"(\\*)('|\Z)", escape, text)
    return f"'{escaped}'"
