"""What the models of compared runs said of each image, as their folders have it."""

from collections.abc import Iterator
from pathlib import Path

from experiments import job_files
from experiments.comparison.member import Member
from experiments.errors import DataError
from experiments.evaluation.predictions import Predictions
from experiments.evaluation.table import read_predictions

_SPLIT = "test"
_PARTS = ("content", "split")  # of the fingerprint of a data set


def read_table(member: Member, data: str | None) -> Predictions | None:
    """Returns what a run's model said of labelled images; `None` where nobody asked.

    Args:
        member: The run.
        data: Name of an evaluation; `None` for the run's own test split, of which its
            training left a table, or an evaluation since.

    Raises:
        DataError: None of the images has a label.
        RecordError: The table is damaged.
    """
    if member.folder is None:
        return member.predictions if data is None else None
    if data is not None:
        return _read(member.folder / job_files.EVALUATION / data / job_files.TABLE)
    found = _read(member.folder / job_files.name_predictions(_SPLIT))
    return next(_read_evaluations(member), None) if found is None else found


def _read_evaluations(member: Member) -> Iterator[Predictions]:
    """Yields the evaluations on a run's own test split."""
    folder, own = member.folder, member.origin.get("data", {})
    known = {f"data_{part}": own[part] for part in _PARTS if part in own}
    if folder is None or not known:
        return
    place = folder / job_files.EVALUATION
    for path in sorted(place.glob(f"*-{_SPLIT}/{job_files.TABLE}")):
        found = _read(path)
        if found is not None and known.items() <= found.facts.items():
            yield found


def _read(path: Path) -> Predictions | None:
    try:
        found = read_predictions(path)
    except FileNotFoundError:
        return None
    labelled = found.labelled
    if not labelled.any():
        raise DataError(f"None of the images of {path.parent.name} has a label.")
    return found if labelled.all() else found.select(labelled)
