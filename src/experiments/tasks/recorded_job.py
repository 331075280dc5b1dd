"""A training job by the record of a tracked run, in the present surroundings."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

from experiments.config.job import Job
from experiments.errors import TrackingError
from experiments.tracking.recorded import RecordedRun, read_run, read_tags

# Where a job runs and is recorded now, not what it is.
_PRESENT = ("output_dir", "tracking", "gpu", "resume")


def read_recorded(job: Job, run_id: str) -> RecordedRun:
    """Reads a run from the tracker of a job.

    Raises:
        TrackingError: There is no such run, or it holds no config.
    """
    return read_run(
        run_id,
        output_dir=Path(job.run.output_dir).absolute(),
        **job.run.tracking.connection(),
    )


def as_recorded(
    job: Job, recorded: RecordedRun, *, name: str, tags: Mapping[str, object]
) -> Job:
    """Returns a training job of the recorded config and of the files it was made of.

    Args:
        job: Says where it runs.
        recorded: The run whose config decides.
        name: Of the new run.
        tags: Further tags of the new run.
    """
    present = {key: job.resolved[key] for key in _PRESENT}
    merged = {**recorded.config["tags"], **tags}
    config = {**recorded.config, **present, "tags": merged}
    choices = {**recorded.choices, "task": job.choices.get("task", "train")}
    return dataclasses.replace(job, resolved=config, choices=choices, name=name)


def best_of_search(job: Job) -> Job:
    """Returns the job itself, or the best trial of the search that it names.

    Raises:
        TrackingError: There is no such search, or it has no best trial.
    """
    parent = job.run.from_search
    if parent is None:
        return job
    tags = read_tags(
        parent,
        output_dir=Path(job.run.output_dir).absolute(),
        **job.run.tracking.connection(),
    )
    best = tags.get("search.best_run_id")
    if not best:
        raise TrackingError(
            f"from_search must be the parent run of a search that has a best trial. "
            f"Received: {parent}."
        )
    recorded = read_recorded(job, best)
    trainer = {**recorded.config["trainer"], "until_epoch": None}
    whole = dataclasses.replace(
        recorded, config={**recorded.config, "trainer": trainer}
    )
    return as_recorded(
        job, whole, name=f"best: {recorded.name}", tags={"from_search": parent}
    )
