"""The jobs of a plain sweep in processes of their own, as many at a time as may be."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from hydra.core.utils import JobReturn, JobStatus
from omegaconf import DictConfig, open_dict

from experiments import job_files
from experiments.command.plan import Plan
from experiments.command.sweeping.job_words import select_overrides
from experiments.config.schema.run import RunConfig
from experiments.errors import Preempted
from experiments.jobs.folder import is_held
from experiments.jobs.job import JobResult
from experiments.sweeps.job_lines import JobLines
from experiments.workers.container import ContainedTask, end_processes
from experiments.workers.crew import Crew
from experiments.workers.hydra_jobs import (
    BASIC,
    JOBLIB,
    LOCAL,
    HydraLaunch,
    HydraSweep,
)
from experiments.workers.report import Report
from experiments.workers.stop_file import forget_stop, request_stop


@dataclass(frozen=True, kw_only=True)
class SideBySide:
    """The task function of such a sweep, as Hydra hands it on to the launcher.

    Attributes:
        task: Runs one job.
        plan: The checked command line.
        ended: Called after each job.
        find_obstacle: Returns why no further job may start; `None` where one may.
    """

    task: Callable[[DictConfig], Any]
    plan: Plan
    ended: Callable[[], None]
    find_obstacle: Callable[[], Preempted | None]

    def __call__(self, config: DictConfig) -> Any:
        """Runs one job here, for a launcher that knows nothing of this."""
        return self.task(config)

    @property
    def run(self) -> RunConfig:
        """The config of the first job."""
        return self.plan.run

    def find_obstacle_of(self, number: int) -> Preempted | None:
        """Returns why a job may not start; one that has finished only says so."""
        folder = self.folder(number)
        return None if has_finished(folder) else self.find_obstacle()

    def former(self, number: int) -> JobResult | None:
        """Returns what an earlier process left of a job that finished."""
        folder = self.folder(number)
        return JobResult.load(folder) if folder and has_finished(folder) else None

    def name(self, overrides: Sequence[str]) -> str:
        """Returns what tells a job from the others."""
        return " ".join(select_overrides(overrides, self.plan.swept_keys))

    def folder(self, number: int) -> Path | None:
        """Returns the folder of a job; `None` where a sweeper decides on jobs later."""
        names = self.plan.job_folders
        return self.plan.folder / names[number] if number < len(names) else None


def has_finished(folder: Path | None) -> bool:
    """Tells whether a job has left its result."""
    result = None if folder is None else JobResult.load(folder)
    return result is not None and result.status == "FINISHED"


def runs_side_by_side(plan: Plan) -> bool:
    """Tells whether the jobs of a plain sweep have processes of their own.

    The basic launcher runs one job at a time, here, unless one that hangs is to be
    ended.

    Args:
        plan: The checked command line.
    """
    sweep = plan.run.sweep
    watched = sweep.job_minutes is not None or sweep.silent_minutes is not None
    return watched or not plan.launch.target.endswith(BASIC)


def run_jobs(
    sweep: HydraSweep, jobs: Sequence[Sequence[str]], *, first: int
) -> list[JobReturn]:
    """Runs jobs to their end, whatever becomes of each.

    Args:
        sweep: What Hydra gave; its task is a `SideBySide`.
        jobs: The overrides of each.
        first: Number of the first one.

    Raises:
        Preempted: All is being stopped, or no further job may start.
        ExperimentError: The launcher refuses one job after the other.
    """
    task: Any = sweep.task
    config = sweep.config.copy()
    with open_dict(config):
        config.hydra.launcher._target_ = task.plan.launch.target
    n_jobs = task.plan.launch.side_by_side(len(jobs))
    stop = task.plan.folder / job_files.WORKERS / job_files.STOP
    stop.parent.mkdir(parents=True, exist_ok=True)
    forget_stop(stop)
    launch = HydraLaunch(
        replace(sweep, config=config), _contain(task, stop, n_jobs), n_jobs
    )
    total = len(task.plan.job_folders) or first + len(jobs)
    lines = JobLines(task.run.trainer.objective, total, n_jobs)
    reports: dict[int, Report] = {}
    left = list(enumerate(jobs, start=first))

    def end(item: tuple[int, Sequence[str]], report: Report) -> None:
        number, job = item
        reports[number] = report
        lines.ended(number, _keep_result(report, task, number, job))
        task.ended()

    try:
        Crew(
            choose=lambda: left.pop(0) if left else None,
            begin=lambda item: lines.began(
                item[0], task.name(item[1]), task.former(item[0])
            ),
            work=lambda item: launch(item[1], item[0]),
            end=end,
            n_jobs=n_jobs,
            find_obstacle=lambda item: task.find_obstacle_of(item[0]),
            stop=partial(request_stop, stop),
        ).run()
    finally:
        end_processes()
    return [_describe(reports[number], job) for number, job in enumerate(jobs, first)]


def _contain(task: SideBySide, stop: Path, n_jobs: int) -> ContainedTask:
    return ContainedTask(
        task=task.task,
        stop_file=stop,
        minutes=task.run.sweep.job_minutes,
        minutes_key="sweep.job_minutes",
        silent_minutes=task.run.sweep.silent_minutes,
        silent_key="sweep.silent_minutes",
        workers=n_jobs if task.plan.launch.target.endswith(LOCAL) else None,
        slots=stop.with_name(job_files.SLOTS),
        trials_per_process=1,
        parent=os.getpid() if task.plan.launch.target.endswith(JOBLIB) else None,
    )


def _keep_result(
    report: Report, task: SideBySide, number: int, job: Sequence[str]
) -> JobResult:
    """Returns how a job ended; writes it down for one that could not do so itself."""
    if report.result is not None:
        return report.result
    folder = task.folder(number)
    if folder is None and report.output_dir is not None:
        folder = Path(report.output_dir)
    stored = None if folder is None else JobResult.load(folder)
    if report.status != "failed" and stored is not None:
        return stored  # stopped by a limit or a signal of its own
    result = JobResult(
        name=task.name(job) or "job",
        status="FAILED" if report.status == "failed" else "KILLED",
        overrides=tuple(job),
        output_dir="" if folder is None else str(folder),
        reason=report.reason,
        failure=report.failure,
        exit_code=1,
        **_outlived(stored),
    )
    if folder is not None and folder.is_dir() and not is_held(folder):
        result.save()
    return result


def _outlived(stored: JobResult | None) -> dict[str, Any]:
    """Returns what a job that was ended had noted by itself."""
    if stored is None:
        return {}
    return {"run_id": stored.run_id, "run_url": stored.run_url}


def _describe(report: Report, job: Sequence[str]) -> JobReturn:
    """Returns what a sweeper is told of a job; a failure is no reason to end it."""
    value = float("nan") if report.value is None else report.value
    described = JobReturn(overrides=list(job), status=JobStatus.COMPLETED)
    described.return_value = value
    return described
