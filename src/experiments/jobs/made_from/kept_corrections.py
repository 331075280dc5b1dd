"""Keeps the corrections that a job is trained with, and finds them again.

The file may be edited the next day: what a run was trained with is in its folder and
among its files.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

from experiments import job_files
from experiments.config.kinds.corrections import KEY, MOST_BYTES, NAME
from experiments.errors import ExperimentError
from experiments.files import replace_bytes
from experiments.jobs.job import Job
from experiments.records import read_bytes
from experiments.tracking.recorded import RecordedRun, read_kept
from experiments.tracking.tracker import Tracker

_PLACE = "data"  # among the files of a run


def keep_corrections(job: Job, tracker: Tracker) -> None:
    """Copies the file that `dataset.corrections` names, if any, into the job's folder.

    Args:
        job: About to be trained; its data set has been read.
        tracker: Its run, which gets the file too.
    """
    given = getattr(job.run.dataset, NAME, None)
    if given is None:
        return
    kept = job.output_dir / job_files.CORRECTIONS
    if Path(given) != kept:
        replace_bytes(kept, read_bytes(Path(given), limit=MOST_BYTES))
    tracker.log_file(kept, _PLACE)


def restore_corrections(recorded: RecordedRun, job: Job) -> RecordedRun:
    """Returns a recorded run whose corrections are those that it kept.

    Args:
        recorded: The run.
        job: What repeats it: its folder gets them.

    Raises:
        ExperimentError: They are not there any more.
    """
    dataset: Any = recorded.config.get("dataset")
    if not isinstance(dataset, dict) or dataset.get(NAME) is None:
        return recorded
    if recorded.folder is not None:
        content = _read(recorded.folder)
    else:
        path = f"{_PLACE}/{job_files.CORRECTIONS}"
        place = job.run.destination()
        content = read_kept(recorded.run_id, path, place, limit=MOST_BYTES)
    own = job.output_dir / job_files.CORRECTIONS
    replace_bytes(own, content)
    return replace(
        recorded, config={**recorded.config, "dataset": {**dataset, NAME: str(own)}}
    )


def _read(folder: Path) -> bytes:
    try:
        return read_bytes(folder / job_files.CORRECTIONS, limit=MOST_BYTES)
    except FileNotFoundError:
        raise ExperimentError(
            f"{folder} was trained with {KEY} and kept no corrections: put the file "
            f"there as {job_files.CORRECTIONS}, or choose another run."
        ) from None
