"""Whether MLflow holds the model of a run, as the run's folder tells."""

from pathlib import Path

from experiments.errors import TrackingError
from experiments.records import NewerRecordError
from experiments.tracking.spool.journal import read_entries
from experiments.tracking.spool.spool import Spool


def has_sent_model(folder: Path) -> bool:
    """Tells whether a model of a job was sent and accepted.

    Where any record was refused it may have been the model: then it is not known.

    Args:
        folder: Of the job.
    """
    spool = Spool(folder)
    try:
        numbers = [e.number for e in read_entries(spool.journal) if e.kind == "model"]
        sent = spool.read_sent(spool.read_run_id())
    except (TrackingError, NewerRecordError):
        return False
    # The last one is that of the best epoch of all.
    is_sent = bool(numbers) and numbers[-1] < sent and not spool.refused.exists()
    return is_sent and spool.is_model_there(numbers[-1])
