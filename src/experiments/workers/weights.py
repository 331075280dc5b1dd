"""The checkpoints of jobs that have ended: how large they are, and their removal."""

import logging
import shutil
from collections.abc import Iterable
from pathlib import Path

from experiments import job_files
from experiments.records import OutsideError, resolve_inside

log = logging.getLogger(__name__)


def find_weights(job_folder: Path) -> Path:
    """Returns where a job keeps its checkpoints, if it has any."""
    return job_folder / job_files.CHECKPOINTS


def remove_weights(folder: Path, *, within: Path) -> bool:
    """Removes checkpoints; tells whether they are gone.

    Args:
        folder: Of the checkpoints, see `find_weights`.
        within: Of the sweep; nothing outside of it is removed.
    """
    try:
        resolve_inside(within, folder)
        shutil.rmtree(folder)
    except (OSError, OutsideError) as error:
        log.warning("%s counts no more but stays: %s", folder, error)
        return False
    return True


def measure_folders(folders: Iterable[Path]) -> int:
    """Returns the bytes of all files directly in some folders."""
    return sum(
        _measure_file(path)
        for folder in set(folders)
        if folder.is_dir()
        for path in folder.iterdir()
    )


def _measure_file(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # a running job has just replaced it
        return 0
