"""The checkpoints of a job as a list, for whoever opens one; imports no framework."""

from dataclasses import dataclass
from pathlib import Path

from experiments import job_files
from experiments.records import resolve_inside
from experiments.training.checkpoints.manifest import read_manifest


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """A saved state of a training.

    Attributes:
        path: Its file.
        epoch: Completed epochs.
        step: Completed steps of the epoch after these.
        value: The monitored value, when it was saved at the end of an epoch.
        is_best: Whether it is the one of the best epoch.
    """

    path: Path
    epoch: int
    step: int
    value: float | None
    is_best: bool


def list_checkpoints(job_folder: Path) -> list[Checkpoint]:
    """Returns the states that a job left, the newest first; empty without any.

    Those of a finished trial of a search may have been removed to save disk, see
    `keep_top`. A file that is gone is left out.

    Args:
        job_folder: Of the job.

    Raises:
        RecordError: What says which states count is damaged.
        OutsideError: They lie outside of the job's folder.
    """
    folder = resolve_inside(job_folder, job_files.CHECKPOINTS)
    manifest = read_manifest(folder)
    if manifest is None:
        return []
    best = None if manifest.best is None else manifest.best.file
    return [
        Checkpoint(
            path=folder / record.file,
            epoch=record.epoch,
            step=record.step,
            value=record.value,
            is_best=record.file == best,
        )
        for record in manifest.records()
        if (folder / record.file).is_file()
    ]
