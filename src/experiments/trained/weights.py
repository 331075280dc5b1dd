"""The weights of a run: of its best epoch, or of another one that is kept."""

from typing import TYPE_CHECKING

from experiments.errors import ExperimentError
from experiments.jobs.runs.disposal import describe_cleaning
from experiments.trained.record import Record
from experiments.training.checkpoints.listing import Checkpoint, list_checkpoints

if TYPE_CHECKING:
    from experiments.training.checkpoints.state import TrainingState


def list_saved(record: Record) -> list[Checkpoint]:
    """Returns the saved states that are still there, the latest first."""
    return [] if record.folder is None else list_checkpoints(record.folder)


def read_saved(record: Record, epoch: int | None = None) -> "TrainingState":
    """Reads the state of an epoch.

    Args:
        record: Of a run that has checkpoints.
        epoch: Counted from 1; `None` for the best one.

    Raises:
        ExperimentError: It is not kept, or not whole.
    """
    from experiments.training.checkpoints.state_file import read_state
    from experiments.training.checkpoints.store import load_best

    saved = list_saved(record)
    if epoch is None and saved:
        return load_best(saved[0].path.parent)
    for found in saved:
        if found.epoch == epoch and not found.step:
            return read_state(found.path)
    raise ExperimentError(describe_absence(record, epoch))


def describe_absence(record: Record, epoch: int | None) -> str:
    """Returns which weights there are instead of those that are not kept."""
    kept = [str(found.epoch) for found in list_saved(record) if not found.step]
    there = f"Kept are: {', '.join(kept)}." if kept else "No checkpoint is there."
    if not kept and record.folder is not None:
        there = describe_cleaning(record.folder) or there
    wanted = "its best epoch" if epoch is None else f"epoch {epoch}"
    return f"The weights of {wanted} of {record.account.name} are not kept. {there}"
