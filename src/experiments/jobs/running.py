"""Runs one job inside Hydra: stored result, continuation or start."""

import logging
import os
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from experiments import job_files
from experiments.command.composing.overlay import describe_overlay, find_links
from experiments.command.config_folders.machine_configs import list_choices
from experiments.command.hydra_node import files as hydra_files
from experiments.command.sweeping.job_words import select_overrides
from experiments.config.code.targets import resolve as resolve_target
from experiments.config.identity import name_job_folder, name_run
from experiments.config.validation import resolve, validate
from experiments.errors import (
    ExperimentError,
    Preempted,
    RestartNeeded,
    summarise_error,
)
from experiments.interruption import signals_as_requests
from experiments.jobs.folder import JobHeldError, claim_folder
from experiments.jobs.job import (
    PROCESS_VARIABLE,
    SWEEP_VARIABLE,
    SWEPT_VARIABLE,
    Job,
    JobResult,
)
from experiments.jobs.stored import show_stored, stored_result
from experiments.jobs.sweep_place import find_place
from experiments.own_code import admit_code_of_parent
from experiments.redaction import learn_secrets
from experiments.screen import guard_log, guard_screen, losing_lines

log = logging.getLogger(__name__)


def run_job(config: DictConfig) -> float:
    """Runs one job and leaves its `result.json`.

    Args:
        config: The composed config, without Hydra's own node.

    Returns:
        The objective; NaN when the job failed, which every sweeper takes for a failure.
    """
    admit_code_of_parent()  # in a launcher's worker
    guard_screen()  # likewise; its log has been set up by now
    guard_log()
    job = describe_job(config)
    try:
        with losing_lines(), claim_folder(job.output_dir):
            result = show_finished(job) or _run_claimed(job)
    except JobHeldError as error:
        # Its folder and its result belong to the process that holds it.
        _show_failure(error)
        return float("nan")
    return float("nan") if result.objective is None else result.objective


def show_finished(job: Job) -> JobResult | None:
    """Shows and returns what an earlier process left, if nothing is left to do.

    Args:
        job: Its folder is held by this process.
    """
    in_sweep = job.sweep_dir is not None
    stored = stored_result(job.output_dir, job.run, in_sweep=in_sweep)
    if stored is not None:
        if job.place is not None:
            job.place.skip()
            print(f"{job.place}", end=", ")
        show_stored(stored, job.run, in_sweep=in_sweep)
    return stored


def execute(job: Job, *, own_process: bool = True) -> JobResult:
    """Runs a job and stores how it ended.

    Args:
        job: Its folder is held by this process.
        own_process: As `signals_as_requests` takes it.

    Raises:
        RestartNeeded: A fresh process has to go on; nothing is stored.
        Preempted: The job has ended, but what it belongs to is to stop.
        BaseException: Whatever else ended it.
    """
    try:
        _forget_result(job.output_dir)
        task = resolve_target(
            job.run.task._target_, key="task", allowed=job.run.allowed_targets
        )
        with (
            signals_as_requests(job.stop, own_process=own_process),
            nullcontext() if job.place is None else job.place.running(),
        ):
            result: JobResult = task(job)
    except RestartNeeded:
        raise
    except BaseException as error:  # SystemExit too
        _save(_unfinished(job, error))
        raise
    _save(result)
    if job.stop.reason is not None and job.sweep_dir is not None:
        raise Preempted(job.stop.reason)  # asked for when there was little left to do
    return result


def postpone(job: Job, restart: RestartNeeded) -> ExperimentError:
    """Stores that a job waits for a fresh process, and returns what to say of it."""
    error = ExperimentError(f"{restart} at the next start.")
    _save(_unfinished(job, error))
    return error


def _run_claimed(job: Job) -> JobResult:
    """Runs a job; one that failed is shown, and no reason for others not to run."""
    try:
        return execute(job)
    except RestartNeeded as restart:
        if os.environ.get(PROCESS_VARIABLE) == str(os.getpid()):
            raise
        # A launcher's worker: it belongs to the launcher, and serves other jobs.
        error = postpone(job, restart)
        log.warning("%s", error)
        return _unfinished(job, error)
    except (KeyboardInterrupt, Preempted):
        raise
    except BaseException as failure:  # SystemExit too: other jobs follow
        _show_failure(failure)
        return _unfinished(job, failure)


def _forget_result(folder: Path) -> None:
    """Removes an earlier result: should this process be killed, it would be wrong."""
    path = folder / job_files.RESULT
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise ExperimentError(
            f"{path} cannot be replaced: {error.strerror}. Remove it, or start anew in "
            "another folder: fresh=true"
        ) from error


def _save(result: JobResult) -> None:
    """Stores a result; a disk that refuses must not hide how the job ended."""
    try:
        result.save()
    except OSError as error:
        print(
            f"The result of {result.name} cannot be stored in {result.output_dir}: "
            f"{error.strerror}. The same command continues from its last checkpoint.",
            file=sys.stderr,
        )


def describe_job(config: DictConfig) -> Job:
    """Gathers what Hydra knows about the running job.

    Args:
        config: As above; its paths become absolute where the job runs elsewhere.
    """
    from hydra.core.hydra_config import HydraConfig

    hydra = HydraConfig.get()
    typed_in = Path(hydra.runtime.cwd)
    if typed_in != Path.cwd():  # by `hydra.job.chdir`, or by a notebook
        _keep_paths(config, typed_in)
    run = validate(config)
    choices = list_choices(hydra.runtime)
    sweep_dir = hydra.job.env_set.get(SWEEP_VARIABLE)
    folder = None if sweep_dir is None else Path(sweep_dir)
    differing = _differing(hydra)
    job = Job(
        resolved=resolve(config),
        output_dir=Path(hydra.runtime.output_dir),
        overrides=tuple(hydra.overrides.task),
        choices={k: v for k, v in choices.items() if not k.startswith("hydra/")},
        name=" ".join(differing) or run.name or name_run(choices, run),
        sweep_dir=folder,
        differing=differing,
        place=find_place(hydra.job, folder),
        links=find_links(config),
    )
    learn_secrets([job.resolved, *job.overrides])
    return job


def _keep_paths(config: DictConfig, folder: Path) -> None:
    """Lets paths mean what they meant in `folder`, where the command was typed."""
    for key in ("output_dir", "dataset.path", "dataset.table", "dataset.corrections"):
        path = OmegaConf.select(config, key, default=None)
        if isinstance(path, str) and not Path(path).expanduser().is_absolute():
            OmegaConf.update(config, key, str(folder / path))


def _differing(hydra: Any) -> list[str]:
    """Returns the overrides that tell a job from the others of its sweep."""
    swept = str(hydra.job.env_set.get(SWEPT_VARIABLE, "")).split()
    return select_overrides(tuple(hydra.overrides.task), swept)


def _unfinished(job: Job, error: BaseException) -> JobResult:
    """Describes a job that was stopped or has failed."""
    stopped = isinstance(error, KeyboardInterrupt | Preempted)
    return JobResult(
        name=job.name,
        status="KILLED" if stopped else "FAILED",
        overrides=job.overrides,
        output_dir=str(job.output_dir),
        reason=summarise_error(error),
        failure=None if stopped else getattr(error, "failure", "error"),
        exit_code=getattr(error, "exit_code", 1),
    )


def _show_failure(error: BaseException) -> None:
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


def _name_job_folder(*, _root_: DictConfig) -> str:
    """Resolves `${job_folder:}`: the name of the folder of a sweep's job."""
    names: list[Any] = [name for name in _root_ if name != "hydra"]
    run = validate(OmegaConf.masked_copy(_root_, names))
    typed = describe_overlay(tuple(_root_.hydra.overrides.task), run)
    return name_job_folder(_differing(_root_.hydra), run, typed)


# Launchers start workers that import this module to find `run_job`, and Hydra asks
# for the folder, and writes the config, before it calls it: there is no other moment.
hydra_files.hide_secrets()
OmegaConf.register_new_resolver("job_folder", _name_job_folder, replace=True)
