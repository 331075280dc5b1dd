"""What a run that is repeated is called: its folder and its experiment in MLflow."""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from experiments.command.plan import Plan
from experiments.command.printed import typed_folder
from experiments.config.identity import name_folder
from experiments.config.schema.task import ReproduceTaskConfig
from experiments.errors import ExperimentError
from experiments.jobs.job import Job
from experiments.redaction import HIDDEN
from experiments.tracking.account import read_account
from experiments.tracking.recorded import RecordedRun
from experiments.tracking.spool.claims import find_claimed

_AGAIN = "again: "
_EXPERIMENT = "tracking.experiment"


def name_again(name: str) -> str:
    """Returns the name of a run that repeats another, or its repetition."""
    return f"{_AGAIN}{name.removeprefix(_AGAIN)}"


def name_repetition(plan: Plan) -> Plan:
    """Returns a plan whose folder is called like the run that is repeated.

    That is read in the run's own folder, without MLflow. Where none is found, or an
    earlier release has begun under the run's id, the folder keeps that name.
    """
    run = plan.run
    is_named = run.name is not None or plan.folder.exists()
    if plan.multirun or is_named or not isinstance(run.task, ReproduceTaskConfig):
        return plan
    name = _find_name(run.run_id, Path(run.output_dir))
    if name is None:
        return plan
    words = f"reproduce {name.removeprefix(_AGAIN)}"
    return replace(plan, folder=plan.folder.with_name(name_folder(words, run)))


def _find_name(run: object, output_dir: Path) -> str | None:
    if not isinstance(run, str):
        return None
    with suppress(ExperimentError, OSError):  # which is told when it is repeated
        absolute = output_dir.absolute()
        for start in (typed_folder(), absolute):
            if "/" in run and (start / Path(run).expanduser()).is_dir():
                return _read_name(start / Path(run).expanduser())
        folder = find_claimed(run, absolute)
        return None if folder is None else _read_name(folder)
    return None


def _read_name(folder: Path) -> str | None:
    account = read_account(folder)
    return None if account is None else account.name


def in_its_experiment(job: Job, recorded: RecordedRun) -> Job:
    """Returns a job that is recorded beside the run that it repeats.

    An experiment that was typed counts, and a sweep keeps its jobs together.
    """
    typed = any(
        word.lstrip("+").startswith(f"{_EXPERIMENT}=") for word in job.overrides
    )
    tracking = recorded.config.get("tracking")
    name = tracking.get("experiment") if isinstance(tracking, dict) else None
    if typed or job.sweep_dir is not None or not isinstance(name, str):
        return job
    if HIDDEN in name:  # the record lacks a part of it
        return job
    return job.with_values({_EXPERIMENT: name})
