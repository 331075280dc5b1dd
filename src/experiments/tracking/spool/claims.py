"""The folders below an output folder that hold records, and the runs that they name."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from experiments import job_files
from experiments.errors import TrackingError
from experiments.records import NewerRecordError
from experiments.tracking.spool.journal import read_opening
from experiments.tracking.spool.place import JOB_ID
from experiments.tracking.spool.spool import Spool

_NOT_ENTERED = {job_files.ARTIFACTS, job_files.CHECKPOINTS, job_files.TRACKING}


def find_folders(output_dir: Path) -> list[Path]:
    """Returns the folders below `output_dir` that hold records, outer ones first."""
    found = []
    for path, folders, _ in os.walk(output_dir):
        # Also where it is no file: that is told.
        if job_files.TRACKING in folders and os.path.lexists(Spool(Path(path)).journal):
            found.append(Path(path))
        folders[:] = [name for name in folders if name not in _NOT_ENTERED]
    return sorted(found, key=lambda folder: (len(folder.parts), folder))


def find_claims(
    output_dir: Path, accepts: Callable[[str], bool]
) -> Iterator[tuple[Spool, list[str]]]:
    """Yields the folders that name a run, as theirs in whatever store, and its ids.

    Args:
        output_dir: Folder of all of them.
        accepts: Tells of an id whether it is looked for.
    """
    for folder in find_folders(output_dir):
        spool = Spool(folder, output_dir)
        ids: list[str] = []
        with suppress(NewerRecordError):  # whoever has that release knows its run
            ids = [run_id for run_id in spool.list_run_ids() if accepts(run_id)]
        if ids:
            yield spool, ids


def find_claimed(start: str, output_dir: Path) -> Path | None:
    """Returns the one folder that names a run whose id begins so, if there is one.

    It says so itself, which no store has confirmed.
    """
    claims = list(find_claims(output_dir, lambda known: known.startswith(start)))
    return claims[0][0].job_folder if len(claims) == 1 else None


def names_back(tags: Mapping[str, str], job_id: str | None) -> bool:
    """Tells whether a run is the one of a folder that names it.

    A folder may come from elsewhere and name the run of somebody else, whose records
    would be overwritten.

    Args:
        tags: Of the run.
        job_id: Of the folder.
    """
    return job_id is not None and tags.get(JOB_ID) == job_id


def read_job_id(spool: Spool) -> str | None:
    """Returns the id by which a folder's runs name it; `None` when it is unreadable.

    Raises:
        NewerRecordError: A later release has written it.
    """
    try:
        return str(read_opening(spool.journal).content["job_id"])
    except TrackingError:
        return None
